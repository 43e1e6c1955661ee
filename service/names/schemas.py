"""What the name search answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class NameOut(BaseModel):
    """A street or landmark."""

    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="As the source writes it.", examples=["Ladywell Road"])
    kind: str = Field(description="street, station, landmark, park or place.", examples=["street"])
    longitude: float = Field(description="Degrees, EPSG:4326.", examples=[-0.0213])
    latitude: float = Field(description="Degrees, EPSG:4326.", examples=[51.4571])


class NameList(BaseModel):
    """Names that fit what was typed, the best first."""

    names: list[NameOut] = Field(description="At most `limit` names.")
