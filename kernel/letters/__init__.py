"""Letters to people about decisions (文书): composed from rulings, kept by their hash, printed."""
