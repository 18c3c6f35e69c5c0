"""What a program is told by its environment, read once at the start.

Every setting is a variable that begins with `LTCI_`; only the collector's address keeps the
name that OpenTelemetry gave it. A setting that has no safe default is asked for where it is
read, so that a command which needs no database can run without one. Secrets never show in
the text form.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
_KEY_BYTES = 32  # of an Ed25519 public key
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"


class SettingMissing(SystemExit):
    """A needed variable is not set: the program ends with one line that names it."""

    def __init__(self, variable: str, meaning: str) -> None:
        super().__init__(f"{variable} is not set: it names {meaning}")
        self.variable = variable


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Make it with `Settings.from_environment()`."""

    variables: Mapping[str, str] = field(repr=False)  # database addresses carry passwords

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of this process, or of the environment given (tests, child programs)."""
        given = os.environ if environment is None else environment
        ours = {name for name in given if name.startswith("LTCI_") or name == COLLECTOR}
        return cls({name: given[name] for name in ours if given[name].strip()})

    @property
    def database_url(self) -> str:
        return self._needed("LTCI_DATABASE_URL", "the database of the event stores")

    @property
    def keys_database_url(self) -> str:
        return self._needed("LTCI_KEYS_DATABASE_URL", "the database of the persons' keys")

    @property
    def bank_folder(self) -> Path:
        """Where the bank of demo and tests keeps its books."""
        return Path(self.variables.get("LTCI_BANK_FOLDER", str(ROOT / ".data" / "bank")))

    @property
    def bank_database_url(self) -> str:
        return self._needed("LTCI_BANK_DATABASE_URL", "the database of the bank's stand-in")

    @property
    def master_key_file(self) -> Path:
        return Path(self._needed("LTCI_MASTER_KEY_FILE", "the file of the master key"))

    @property
    def temporal_address(self) -> str:
        return self.variables.get("LTCI_TEMPORAL_ADDRESS", "127.0.0.1:7233")

    @property
    def temporal_namespace(self) -> str:
        return self.variables.get("LTCI_TEMPORAL_NAMESPACE", "default")

    @property
    def enrollment_address(self) -> str:
        return self.variables.get("LTCI_ENROLLMENT_ADDRESS", "127.0.0.1:7501")

    @property
    def assessment_address(self) -> str:
        return self.variables.get("LTCI_ASSESSMENT_ADDRESS", "127.0.0.1:7502")

    @property
    def provider_address(self) -> str:
        return self.variables.get("LTCI_PROVIDER_ADDRESS", "127.0.0.1:7503")

    @property
    def payment_address(self) -> str:
        return self.variables.get("LTCI_PAYMENT_ADDRESS", "127.0.0.1:7504")

    @property
    def bank_address(self) -> str:
        return self.variables.get("LTCI_BANK_ADDRESS", "127.0.0.1:7505")

    @property
    def service_addresses(self) -> dict[str, str]:
        """The four services by name, in the order of a case."""
        return {
            "enrollment": self.enrollment_address,
            "assessment": self.assessment_address,
            "provider": self.provider_address,
            "payment": self.payment_address,
        }

    @property
    def transfer_keys(self) -> frozenset[bytes]:
        """Public keys of other deployments whose signed bundles are taken in.

        Refuses (SettingMissing) what is no Ed25519 key in hex.
        """
        told = self.variables.get("LTCI_TRANSFER_KEYS", "")
        try:
            keys = frozenset(bytes.fromhex(one) for one in told.split(",") if one.strip())
        except ValueError:
            keys = frozenset({b""})
        if any(len(key) != _KEY_BYTES for key in keys):
            raise SettingMissing("LTCI_TRANSFER_KEYS", "public keys in hex, 64 digits each")
        return keys

    @property
    def rules_folder(self) -> Path:
        return Path(self.variables.get("LTCI_RULES_FOLDER", str(ROOT / "rules")))

    @property
    def clock_file(self) -> Path | None:
        """File of the business clock; without one, business time is real time."""
        name = self.variables.get("LTCI_CLOCK_FILE")
        return Path(name) if name else None

    @property
    def otlp_endpoint(self) -> str | None:
        """Collector for traces and metrics; without one, nothing is exported."""
        return self.variables.get(COLLECTOR)

    def _needed(self, variable: str, meaning: str) -> str:
        value = self.variables.get(variable)
        if value is None:
            raise SettingMissing(variable, meaning)
        return value
