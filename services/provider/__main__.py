"""Runs the service of designated care: `python -m services.provider`."""

from kernel.service import Parts, Registration, run_service
from services.provider.codec import provider_codec
from services.provider.projections import ListReader, Lists
from services.provider.rpc import ProviderServicer


def build(parts: Parts) -> Registration:
    """The service out of its opened parts."""
    runner = parts.runner(Lists(parts.codec))
    servicer = ProviderServicer(parts, ListReader(parts.store, runner))
    return Registration(add=servicer.add_to, runners=[runner])


if __name__ == "__main__":
    run_service("provider", provider_codec, build)
