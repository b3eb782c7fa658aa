"""branchline grafana: dashboards and alert rules for the tools of who watches boxes."""

from pathlib import Path

import click

from appliance.box.telemetry.grafana import BUCKET, SOURCE_UID, write


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--bucket", default=BUCKET, show_default=True, help="Of InfluxDB, for its alert rules.")
@click.option("--source", "source_uid", default=SOURCE_UID, show_default=True, metavar="UID",
              help="Of Grafana's data source of InfluxDB, for the same.")
def grafana(folder: Path, bucket: str, source_uid: str) -> None:
    """Write Grafana's dashboards and alert rules, and Prometheus' rules, into FOLDER (docs/telemetry.md)."""
    try:
        for path in write(folder, bucket, source_uid):
            click.echo(path)
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}") from None
