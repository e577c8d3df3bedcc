"""`current_date` with FastMCP, served as Lockstep serves: stateless, JSON answers."""

import os
from datetime import datetime, timezone

from fastmcp import FastMCP
from pydantic import BaseModel


class Formatted(BaseModel):
    spec_directory: str
    header: str
    readable: str


class DateView(BaseModel):
    iso_date: str
    iso_datetime: str
    day_of_week: str
    month: str
    year: int
    unix_timestamp: int
    formatted: Formatted
    usage_note: str


server = FastMCP("peer")


@server.tool(description="The date and time of this machine")
async def current_date() -> DateView:
    now = datetime.now(timezone.utc)
    date = now.strftime("%Y-%m-%d")
    return DateView(
        iso_date=date,
        iso_datetime=now.isoformat(),
        day_of_week=now.strftime("%A"),
        month=now.strftime("%B"),
        year=now.year,
        unix_timestamp=int(now.timestamp()),
        formatted=Formatted(
            spec_directory=f"{date}-",
            header=f"**Date**: {date}",
            readable=now.strftime("%B %-d, %Y"),
        ),
        usage_note="use iso_date wherever a document needs a date",
    )


server.run(
    transport="http",
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    stateless_http=True,
    json_response=True,
    log_level="error",
    show_banner=False,
)
