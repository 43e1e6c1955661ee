"""First schema: staff, workshops, places, venues, boundary sets, crimes, runs, jobs, releases, names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from service.store.base import Wkb

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Integer boxes in 1e-7 degrees: a float R*Tree rounds its boxes and returns rows that lie outside the one asked for.
SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE place_rtree USING rtree_i32(seq, west, east, south, north)",
    "CREATE VIRTUAL TABLE venue_rtree USING rtree_i32(seq, west, east, south, north)",
)
POSTGIS_INDEX = (
    "CREATE INDEX ix_place_geometry ON place USING gist (geometry)",
    "CREATE INDEX ix_venue_geometry ON venue USING gist (geometry)",
    "CREATE INDEX ix_area_geometry ON area USING gist (geometry)",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.create_table(
        "boundary_set",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("licence", sa.String(length=200), nullable=False),
        sa.Column("attribution", sa.String(length=500), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("resolution_m", sa.Double(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("join_points", sa.Boolean(), nullable=False),
        sa.Column("place_generation", sa.Integer(), nullable=False),
        sa.Column("crime_generation", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boundary_set")),
        sa.UniqueConstraint("name", name=op.f("uq_boundary_set_name")),
    )
    op.create_table(
        "crime_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("force", sa.String(length=60), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("extent", sa.String(length=200), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crime_file")),
        sa.UniqueConstraint("digest", name=op.f("uq_crime_file_digest")),
    )
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("area_gss", sa.String(length=20), nullable=False),
        sa.Column("area_name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('demo', 'real')", name=op.f("ck_deployment_mode")),
        sa.CheckConstraint("id = 1", name=op.f("ck_deployment_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployment")),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=120), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(op.f("ix_job_dedupe_key"), "job", ["dedupe_key"], unique=False)
    op.create_index("ix_job_status_created", "job", ["status", "created_at"], unique=False)
    op.create_table(
        "name",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("folded", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name")),
    )
    op.create_index("ix_name_folded", "name", ["folded"], unique=False)
    op.create_table(
        "release",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("number", name=op.f("uq_release_number")),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("method", sa.String(length=200), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("code_version", sa.String(length=60), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("result_digest", sa.String(length=64), nullable=False),
        sa.Column("result_path", sa.String(length=300), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_kind_current", "run", ["kind", "is_current"], unique=False)
    op.create_table(
        "team",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "venue",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("geometry", Wkb, nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("staff", sa.String(length=200), nullable=False),
        sa.Column("access", sa.String(length=200), nullable=False),
        sa.Column("for_whom", sa.String(length=200), nullable=False),
        sa.Column("checked_by", sa.String(length=120), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_venue")),
        sa.UniqueConstraint("id", name=op.f("uq_venue_id")),
    )
    op.create_table(
        "area",
        sa.Column("set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("area_gss", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("geometry", Wkb, nullable=False),
        sa.Column("area_km2", sa.Double(), nullable=False),
        sa.Column("residents", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["set_id"], ["boundary_set.id"], name=op.f("fk_area_set_id_boundary_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("set_id", "area_gss", name=op.f("pk_area")),
    )
    op.create_table(
        "crime_count",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("area_gss", sa.String(length=20), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("in_polygon", sa.Integer(), nullable=False),
        sa.Column("nearest_centre", sa.Integer(), nullable=False),
        sa.Column("near_line", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["crime_file.id"], name=op.f("fk_crime_count_file_id_crime_file"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["boundary_set.id"], name=op.f("fk_crime_count_set_id_boundary_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "set_id", "generation", "area_gss", "category", name=op.f("pk_crime_count")),
    )
    op.create_index(
        "ix_crime_count_lookup", "crime_count", ["set_id", "generation", "file_id", "area_gss"], unique=False
    )
    op.create_table(
        "crime_manifest",
        sa.Column("force", sa.String(length=60), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["crime_file.id"], name=op.f("fk_crime_manifest_file_id_crime_file")),
        sa.PrimaryKeyConstraint("force", "month", name=op.f("pk_crime_manifest")),
    )
    op.create_table(
        "hotspot",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("geometry", Wkb, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Integer(), nullable=False),
        sa.Column("gi_star", sa.Double(), nullable=False),
        sa.Column("p_adjusted", sa.Double(), nullable=False),
        sa.Column("area_km2", sa.Double(), nullable=False),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_hotspot_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "rank", name=op.f("pk_hotspot")),
    )
    op.create_table(
        "principal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=30), nullable=False),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("secret_hash", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_principal_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_principal")),
        sa.UniqueConstraint("label", name=op.f("uq_principal_label")),
    )
    op.create_table(
        "workshop",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("takes_words", sa.Boolean(), nullable=False),
        sa.Column("takes_borders", sa.Boolean(), nullable=False),
        sa.Column("area", Wkb, nullable=True),
        sa.Column("public_key", sa.String(length=500), nullable=True),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["principal.id"], name=op.f("fk_workshop_lead_id_principal")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_workshop_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workshop")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_workshop_code_hash")),
        sa.UniqueConstraint("uuid", name=op.f("uq_workshop_uuid")),
    )
    op.create_table(
        "place",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("workshop_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("contributor_key", sa.String(length=64), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("feeling", sa.String(length=10), nullable=False),
        sa.Column("times", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("suggestion", sa.String(), nullable=True),
        sa.Column("public_text", sa.String(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("publish", sa.String(length=10), nullable=False),
        sa.Column("geometry", Wkb, nullable=True),
        sa.Column("longitude_e7", sa.Integer(), nullable=True),
        sa.Column("latitude_e7", sa.Integer(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        sa.CheckConstraint("feeling IN ('safe', 'unsafe', 'mixed')", name=op.f("ck_place_feeling")),
        sa.CheckConstraint("kind IN ('point', 'route', 'area', 'border')", name=op.f("ck_place_kind")),
        sa.CheckConstraint("publish IN ('count', 'never')", name=op.f("ck_place_publish")),
        sa.CheckConstraint(
            "status IN ('pending', 'held', 'approved', 'rejected', 'withdrawn')", name=op.f("ck_place_status")
        ),
        sa.CheckConstraint("people >= 1", name=op.f("ck_place_people")),
        sa.ForeignKeyConstraint(["workshop_id"], ["workshop.id"], name=op.f("fk_place_workshop_id_workshop")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_place")),
        sa.UniqueConstraint("id", name=op.f("uq_place_id")),
    )
    op.create_index(op.f("ix_place_contributor_key"), "place", ["contributor_key"], unique=False)
    op.create_index("ix_place_day", "place", ["day"], unique=False)
    op.create_index("ix_place_status_seq", "place", ["status", "seq"], unique=False)
    op.create_index(op.f("ix_place_workshop_id"), "place", ["workshop_id"], unique=False)
    op.create_table(
        "place_area",
        sa.Column("place_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("set_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("area_gss", sa.String(length=20), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("edge_m", sa.Double(), nullable=True),
        sa.Column("neighbour_gss", sa.String(length=20), nullable=True),
        sa.Column("near_border", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_seq"], ["place.seq"], name=op.f("fk_place_area_place_seq_place"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["boundary_set.id"], name=op.f("fk_place_area_set_id_boundary_set"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place_seq", "set_id", "generation", "area_gss", name=op.f("pk_place_area")),
    )
    op.create_index(
        "ix_place_area_lookup", "place_area", ["set_id", "generation", "area_gss", "place_seq"], unique=False
    )
    op.create_table(
        "place_hotspot",
        sa.Column("place_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("nearest_rank", sa.Integer(), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["place_seq"], ["place.seq"], name=op.f("fk_place_hotspot_place_seq_place"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_place_hotspot_run_id_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("place_seq", "run_id", name=op.f("pk_place_hotspot")),
    )
    op.create_table(
        "receipt",
        sa.Column("place_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_seq"], ["place.seq"], name=op.f("fk_receipt_place_seq_place"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place_seq", name=op.f("pk_receipt")),
        sa.UniqueConstraint("receipt_hash", name=op.f("uq_receipt_receipt_hash")),
    )
    index = POSTGIS_INDEX if op.get_bind().dialect.name == "postgresql" else SQLITE_INDEX
    for statement in index:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE place_rtree")
        op.execute("DROP TABLE venue_rtree")
    op.drop_table("receipt")
    op.drop_table("place_hotspot")
    op.drop_index("ix_place_area_lookup", table_name="place_area")
    op.drop_table("place_area")
    op.drop_index(op.f("ix_place_workshop_id"), table_name="place")
    op.drop_index("ix_place_status_seq", table_name="place")
    op.drop_index("ix_place_day", table_name="place")
    op.drop_index(op.f("ix_place_contributor_key"), table_name="place")
    op.drop_table("place")
    op.drop_table("workshop")
    op.drop_table("principal")
    op.drop_table("hotspot")
    op.drop_table("crime_manifest")
    op.drop_index("ix_crime_count_lookup", table_name="crime_count")
    op.drop_table("crime_count")
    op.drop_table("area")
    op.drop_table("venue")
    op.drop_table("team")
    op.drop_index("ix_run_kind_current", table_name="run")
    op.drop_table("run")
    op.drop_table("release")
    op.drop_index("ix_name_folded", table_name="name")
    op.drop_table("name")
    op.drop_index("ix_job_status_created", table_name="job")
    op.drop_index(op.f("ix_job_dedupe_key"), table_name="job")
    op.drop_table("job")
    op.drop_table("deployment")
    op.drop_table("crime_file")
    op.drop_table("boundary_set")
