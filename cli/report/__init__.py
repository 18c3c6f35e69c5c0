"""A provider's month as a page for people (机构服务月报)."""
