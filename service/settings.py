"""Settings: one class, read once, handed to ``create_app``; every field is an environment variable SAFER_PLACES_*."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(env_prefix="SAFER_PLACES_", env_file=None, extra="ignore")

    data_dir: Path = Field(default=Path("var/safer-places"), description="The one folder to back up.")
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL; unset means SQLite in the data folder. PostgreSQL needs PostGIS."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    base_path: str = Field(default="", description="Path prefix behind a proxy, without a slash at the end.")

    area_gss: str = Field(default="E09000023", description="GSS code of the borough.", pattern="^[A-Z][0-9]{8}$")
    area_name: str = Field(default="Lewisham", description="Name of the borough as pages show it.")

    secret_key: SecretStr | None = Field(
        default=None, description="Key of receipts and staff cookies; unset means a file made in the data folder."
    )
    staff_session_minutes: int = Field(
        default=30, ge=5, le=240, description="A staff session ends after so many minutes without use."
    )

    dpia_reference: str | None = Field(default=None, description="Reference of the DPIA (L1).")
    controller: str | None = Field(default=None, description="Name of the data controller (L1).")
    dpo_contact: str | None = Field(default=None, description="How to reach the data protection officer (L1).")
    dpia_date: date | None = Field(default=None, description="Date on which the DPIA was signed (L1).")

    help_contact: str = Field(
        default="", description="Whom a young person can talk to here, with a number; shown beside 999 and Childline."
    )

    near_border_m: float = Field(default=25.0, gt=0, le=500, description="This near an edge is 'near a border'.")
    line_share_m: float = Field(default=15.0, gt=0, le=500, description="Distance of the share of points near a line.")
    outside_m: float = Field(default=500.0, ge=0, le=10_000, description="How far outside the borough a mark may lie.")
    route_max_m: float = Field(default=10_000.0, gt=0, description="Longest route or border taken.")
    area_max_km2: float = Field(default=4.0, gt=0, description="Largest area taken as one mark.")
    vertices_max: int = Field(default=500, ge=10, le=2000, description="Most points of one drawn shape.")
    note_max: int = Field(default=500, ge=0, le=2000, description="Most characters of a note or suggestion.")
    people_max: int = Field(default=30, ge=1, le=100, description="Most people a group mark may speak for.")
    few_people: int = Field(
        default=10, ge=1, description="A share of marks by area is shown from this many contributors on (D2)."
    )
    body_max_kb: int = Field(default=64, ge=4, le=1024, description="Largest body of a request [kB].")
    marks_per_minute: int = Field(default=600, ge=1, description="Most marks a minute from one network.")
    word_checks_per_minute: int = Field(
        default=240, ge=1, description="Most notes a minute that one network has looked through before sending."
    )
    receipt_tries_per_minute: int = Field(default=20, ge=1, description="Most receipts tried a minute by one network.")
    sign_in_tries_per_minute: int = Field(
        default=60, ge=1, description="Most failed sign-ins a minute by one network; many colleagues share one."
    )
    exact_resolution_m: float = Field(default=20.0, gt=0, description="Coarser boundary sets are approximate.")

    hotspot_cell_m: float = Field(default=250.0, ge=250.0, description="Cell of the hot spot grid; not finer than P1.")
    hotspot_min_months: int = Field(default=12, ge=12, description="Fewest months a hot spot run takes.")
    density_bandwidth_m: float = Field(default=300.0, gt=0, description="Bandwidth of the density surface.")

    police_api_url: str = Field(default="https://data.police.uk/api", description="The police's open data API.")
    open_geography_url: str = Field(
        default="https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services",
        description="Feature services of the Open Geography portal.",
    )
    outbound_timeout_s: float = Field(default=30.0, gt=0, description="Time-out of one outbound request.")

    basemap_pmtiles: Path | None = Field(default=None, description="PMTiles file of the ground map, served by us.")
    tile_url: str | None = Field(default=None, description="Tile service to proxy and cache, with {z}, {x} and {y}.")
    basemap_attribution: str = Field(default="", description="Attribution of the ground map.")
    tile_cache_mb: int = Field(default=500, ge=10, description="Largest size of the tile cache.")

    # people: accounts, sessions, sign-in from elsewhere
    staff_session_hours: int = Field(
        default=10, ge=1, le=24, description="A staff session ends so many hours after sign-in, used or not."
    )
    staff_rotate_minutes: int = Field(
        default=15, ge=1, le=240, description="A staff session in use gets a new token after so many minutes."
    )
    staff_confirm_minutes: int = Field(
        default=10,
        ge=1,
        le=120,
        description="How long password and code hold for an export or a change of accounts (X5).",
    )
    staff_invite_hours: int = Field(
        default=72, ge=1, le=336, description="How long an invite of staff can be taken up."
    )
    sign_in_tries: int = Field(default=5, ge=3, le=20, description="Wrong sign-ins after which an account rests.")
    sign_in_rest_minutes_max: int = Field(
        default=60, ge=1, le=1440, description="Longest rest of an account; the first is one minute, then it doubles."
    )

    oidc_issuer: str = Field(
        default="", description="OpenID provider that staff may sign in with, such as https://login.example.org."
    )
    oidc_client_id: str = Field(default="", description="Our client id at that provider.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Our client secret at that provider.")
    oidc_name: str = Field(default="your work account", description="What the button of the sign-in page calls it.")
    oidc_scopes: str = Field(default="openid profile", description="Scopes that are asked of the provider.")
    oidc_hosts: list[str] = Field(
        default=[], description="Other hosts that the provider answers on (JSON list); its issuer's host is allowed."
    )
    oidc_second_factor: list[str] = Field(
        default=["mfa"], description="Values of amr or acr by which the provider asserts a second factor (JSON list)."
    )
    oidc_role_claim: str = Field(default="", description="Claim that names groups, for accounts without an invite.")
    oidc_roles: dict[str, str] = Field(
        default={}, description="Group to role, or to role:team (JSON object); empty: accounts come by invite only."
    )

    # workshops: codes, seats, the wall
    open_marking: bool = Field(
        default=False, description="Anyone may mark without a code: fixed reasons, no words, no borders (S2)."
    )
    join_tries_per_minute: int = Field(default=60, ge=1, description="Most wrong codes a minute by one network.")
    seats_max: int = Field(default=300, ge=1, description="Most devices that join one workshop.")
    seat_marks_per_minute: int = Field(default=30, ge=1, description="Most marks a minute from one device.")
    seat_marks_max: int = Field(default=300, ge=1, description="Most marks from one device in one workshop.")
    late_delivery_days: int = Field(
        default=30, ge=1, le=90, description="How long a device may deliver its unsent marks after the workshop."
    )
    workshop_max_hours: int = Field(default=12, ge=1, le=72, description="Longest window of a workshop.")
    wall_people_min: int = Field(default=5, ge=5, description="Fewest people behind an area on the wall.")

    # moderation: clocks, escalation, second looks
    queue_lease_seconds: int = Field(
        default=180, ge=30, le=3600, description="How long a mark is kept for the moderator who reads it."
    )
    support_contact: str = Field(
        default="", description="Whom a moderator can talk to after reading something hard; shown in the queue (S8)."
    )
    lead_decides_by: time = Field(
        default=time(20, 0), description="Local time by which a mark with the lead is decided the same day (S4)."
    )
    lead_least_minutes: int = Field(
        default=60, ge=15, le=720, description="Least time for a lead to decide, for a mark passed on late in the day."
    )
    words_read_by: time = Field(
        default=time(20, 0), description="Local time by which the words of the day are read; later ones are told (S3)."
    )
    escalate_every_minutes: int = Field(
        default=30, ge=5, le=720, description="Time to the second e-mail about something late; doubled each time."
    )
    second_look_share: float = Field(
        default=0.1, ge=0, le=1, description="Share of decisions that another moderator makes again, blind (E3)."
    )
    agreement_from: int = Field(
        default=30, ge=10, description="Agreement of moderators is shown from this many second looks on (E3)."
    )
    public_url: str = Field(default="", description="Address of this service as staff open it; for links in e-mails.")
    smtp_host: str | None = Field(default=None, description="Mail server for e-mails to leads; allowed by X10.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the way to the mail server is encrypted."
    )
    smtp_user: str | None = Field(default=None, description="Account at the mail server, if it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that account.")
    smtp_sender: str = Field(default="", description="Address that e-mails come from; needed with smtp_host.")
    smtp_timeout_s: float = Field(default=20.0, gt=0, le=120, description="Time-out of the mail server.")

    # releases: thresholds of disclosure, how often
    release_people_min: int = Field(
        default=10, ge=5, le=100, description="Fewest people behind a published number, or behind a change of one (D2)."
    )
    release_workshops_min: int = Field(
        default=2,
        ge=2,
        le=20,
        description="Fewest workshops behind a published number or a change of one (D2).",
    )
    release_others_min: int = Field(
        default=3, ge=1, le=50, description="Fewest people outside the largest workshop behind a published number."
    )
    release_base: int = Field(default=5, ge=2, le=20, description="Published numbers are rounded to multiples of it.")
    release_interval_min: int = Field(
        default=5, ge=3, le=50, description="Nobody may bound a hidden number to fewer people than this (D3)."
    )
    release_union_wards: int = Field(
        default=5,
        ge=2,
        le=20,
        description="Most wards of a union: wards too small alone are published so.",
    )
    release_every_days: int = Field(
        default=30, ge=0, le=366, description="Days between releases made by the clock; 0 means by hand only."
    )
    intruder_test_on: date | None = Field(
        default=None, description="Day of the latest motivated-intruder test (D8), see docs/duty/motivated-intruder.md."
    )
    intruder_test_max_days: int = Field(
        default=365, ge=30, le=1100, description="A motivated-intruder test older than this is told to staff (D8)."
    )

    # duty: how long each class of data is kept
    retention_words_days: int = Field(
        default=180, ge=1, description="Words of a mark are kept so long after its last decision (L6)."
    )
    retention_geometry_days: int = Field(
        default=1095, ge=30, description="The exact position of a mark is kept so long; its ward stays (L6)."
    )
    retention_rejected_days: int = Field(default=90, ge=1, description="What a rejected mark said is kept so long.")
    retention_versions_days: int = Field(default=90, ge=1, description="What a mark said before a change: so long.")
    retention_requests_days: int = Field(default=90, ge=30, description="The hash of a sent mark is kept so long.")
    retention_receipts_days: int = Field(default=730, ge=90, description="A receipt works so long.")
    retention_tombstones_days: int = Field(default=1095, ge=365, description="The tombstone of a mark taken back.")
    retention_seats_days: int = Field(default=7, ge=1, description="Browsers that joined a workshop, wall batches.")
    retention_keys_days: int = Field(
        default=90,
        ge=14,
        description="Code, sealing keys and contact of a workshop that is over; unsent marks need them.",
    )
    retention_sessions_days: int = Field(default=30, ge=1, description="Staff sessions and invites that are over.")
    retention_duty_days: int = Field(default=365, ge=30, description="Who was on duty as lead.")
    retention_decisions_days: int = Field(default=1095, ge=90, description="Decisions of moderators, second looks.")
    retention_holds_days: int = Field(default=2190, ge=365, description="Decisions of the safeguarding lead.")
    retention_characteristics_days: int = Field(default=730, ge=1, description="Answers about a person, kept apart.")
    characteristics_on: bool = Field(
        default=False, description="Whether people in workshops are asked the optional questions about themselves (L4)."
    )
    characteristics_url: str | None = Field(
        default=None,
        description="PostgreSQL URL of the characteristics, such as another role; unset: a file or schema of its own.",
    )
    retention_jobs_days: int = Field(default=90, ge=7, description="Jobs that ended.")
    retention_shares_days: int = Field(default=2190, ge=730, description="The ledger of onward shares (L8).")
    retention_logs_days: int = Field(default=730, ge=365, description="Audit log files that were put aside.")
    retention_audit_days: int = Field(default=2190, ge=730, description="Audit events; never less than two years.")

    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    worker: bool = Field(default=True, description="Start a worker process beside the web process.")

    @model_validator(mode="after")
    def _check_release(self) -> Self:
        if max(self.release_base, self.release_interval_min + 1) > self.release_people_min:
            message = "release_base and release_interval_min must stay below release_people_min."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_ground(self) -> Self:
        if self.basemap_pmtiles and self.tile_url:
            message = "Set basemap_pmtiles or tile_url, not both."
            raise ValueError(message)
        if self.tile_url and not all(part in self.tile_url for part in ("{z}", "{x}", "{y}")):
            message = "tile_url needs {z}, {x} and {y}."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_oidc(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            message = "oidc_issuer needs oidc_client_id and oidc_client_secret."
            raise ValueError(message)
        local = urlsplit(self.oidc_issuer).hostname in {"localhost", "127.0.0.1", "::1"}
        if self.oidc_issuer and not (self.oidc_issuer.startswith("https://") or local):
            message = "oidc_issuer must be an https address."
            raise ValueError(message)
        if bool(self.oidc_role_claim) != bool(self.oidc_roles):
            message = "Set oidc_role_claim and oidc_roles together, or neither."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_duty(self) -> Self:
        if self.characteristics_url and not self.characteristics_url.startswith("postgresql"):
            message = "characteristics_url must be of PostgreSQL; leave it out for a file of its own."
            raise ValueError(message)
        if self.retention_keys_days < self.late_delivery_days:
            message = "retention_keys_days must not be shorter than late_delivery_days: unsent marks need the keys."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_mail(self) -> Self:
        if self.smtp_host and not self.smtp_sender:
            message = "smtp_host needs smtp_sender: the address that e-mails come from."
            raise ValueError(message)
        return self

    @property
    def resolved_database_url(self) -> str:
        """URL of the store: the setting, or SQLite in the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'safer-places.sqlite').absolute()}"

    @property
    def sqlite_path(self) -> Path | None:
        """File of the embedded store in the data folder; None where ``database_url`` names another store."""
        return None if self.database_url else (self.data_dir / "safer-places.sqlite").absolute()

    @property
    def outbound_hosts(self) -> frozenset[str]:
        """The allow-list of outbound hosts (X10): those of the URLs set here, and no others."""
        urls = [self.police_api_url, self.open_geography_url, self.tile_url or "", self.oidc_issuer]
        hosts = {host for url in urls if (host := urlsplit(url.replace("{s}", "a")).netloc)}
        mail = {f"{self.smtp_host}:{self.smtp_port}"} if self.smtp_host else set()
        return frozenset(hosts | set(self.oidc_hosts) | mail)

    @property
    def missing_assessment(self) -> list[str]:
        """The settings of L1 that a real deployment still lacks."""
        names = ("dpia_reference", "controller", "dpo_contact", "dpia_date")
        return [f"SAFER_PLACES_{name.upper()}" for name in names if not getattr(self, name)]
