"""The runs in a database: SQLite in the user's folder, or PostgreSQL by a URL.

Every change of a state names the states that it may come from, in one statement: of two
processes that want the same run, one gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)

from healthdash.errors import MissingDependency, NoDatabase
from healthdash.runs.record import ACTIVE, Run, State, Told

__all__ = ["RunStore", "sqlite_url"]

_BUSY_S = 30.0
_metadata = MetaData()
# The number ends with a new table when the columns change: an older app can still read its own.
_runs = Table(
    "healthdash_runs_1",
    _metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("place", Text, nullable=False, index=True),
    Column("task", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("out", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Column("metrics", JSON, nullable=False),
    Column("error", JSON),
    Column("tags", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
)


class RunStore:
    """All runs of one database. Safe to share between threads; each process makes its own.

    Parameters
    ----------
    url : str
        As SQLAlchemy writes it: "sqlite:////folder/runs.db", "postgresql://user@host/name".
        PostgreSQL is spoken with the driver pg8000.

    Raises
    ------
    MissingDependency
        The driver of the database is not installed.
    NoDatabase
        The database does not answer, now or whenever it is asked.
    """

    def __init__(self, url: str) -> None:
        with _translated():
            self._engine = _engine(url)
            _create(self._engine)

    def add(self, run: Run) -> None:
        """Put in a new run."""
        with self._begun() as connection:
            connection.execute(insert(_runs).values(**_row(asdict(run))))

    def get(self, run_id: str, owner: str | None = None, place: str | None = None) -> Run | None:
        """Return a run; None when there is none, or when it is not this owner's or of this place."""
        asked = {"id": run_id, "owner": owner, "place": place}
        found = self._select(*(_runs.c[name] == value for name, value in asked.items() if value is not None))
        return found[0] if found else None

    def of(self, owner: str, place: str) -> list[Run]:
        """Return the runs of one owner in a place, the newest first."""
        return self._select(_runs.c.owner == owner, _runs.c.place == place)[::-1]

    def outs(self) -> set[str]:
        """Return the bundle folders that the runs of all owners make."""
        with self._begun() as connection:
            return set(connection.execute(select(_runs.c.out)).scalars())

    def active(self, place: str) -> list[Run]:
        """Return the runs of a place that wait or run, the oldest first."""
        return self._select(_runs.c.place == place, _runs.c.state.in_(ACTIVE))

    def change(self, run_id: str, expect: Iterable[State], **values: Any) -> bool:
        """Change a run that is in one of the expected states; say whether it was.

        Parameters
        ----------
        **values
            Attributes of `Run`.
        """
        asked = update(_runs).where(_runs.c.id == run_id, _runs.c.state.in_(list(expect)))
        with self._begun() as connection:
            return connection.execute(asked.values(**_row(values))).rowcount == 1

    def tag(self, run_id: str, owner: str, tags: Iterable[str]) -> None:
        """Set the tags of an owner's run."""
        asked = update(_runs).where(_runs.c.id == run_id, _runs.c.owner == owner)
        with self._begun() as connection:
            connection.execute(asked.values(tags=list(tags)))

    def remove(self, run_id: str, owner: str, place: str) -> bool:
        """Remove an owner's run of a place; say whether there was one."""
        asked = delete(_runs).where(_runs.c.id == run_id, _runs.c.owner == owner, _runs.c.place == place)
        with self._begun() as connection:
            return connection.execute(asked).rowcount == 1

    def close(self) -> None:
        """Close the connections; the store can be used again."""
        self._engine.dispose()

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        """Give a connection; of what is changed by it, all is kept or nothing."""
        with _translated(), self._engine.begin() as connection:
            yield connection

    def _select(self, *conditions: Any) -> list[Run]:
        asked = select(_runs).where(*conditions).order_by(_runs.c.created, _runs.c.id)
        with self._begun() as connection:
            return [_run(row) for row in connection.execute(asked).mappings()]


def sqlite_url(file: Path) -> str:
    """Return the URL of an SQLite file; its folder is made, for this user only."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{file}"


@contextmanager
def _translated() -> Iterator[None]:
    """Say in words what any database says; its own may hold the address with its password."""
    try:
        yield
    except SQLAlchemyError as error:
        hint = "Check HEALTHDASH_DATABASE_URL, that its server runs, and that the disk has room."
        raise NoDatabase("the list of the runs does not answer", hint=hint) from error


def _engine(url: str) -> Engine:
    try:
        asked = make_url(url)
    except ValueError as error:
        raise ArgumentError("expected a number as the port") from error
    if asked.drivername in ("postgres", "postgresql"):
        asked = asked.set(drivername="postgresql+pg8000")
    if asked.get_backend_name() == "sqlite":
        return _sqlite(create_engine(asked, connect_args={"timeout": _BUSY_S}))
    try:
        # A server that was restarted has cut the connections that lie ready.
        return create_engine(asked, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise MissingDependency(error.name or asked.drivername, purpose="this database") from error


def _sqlite(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        # Readers do not wait for a writer; both may be in different processes.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _create(engine: Engine) -> None:
    """Make the table where it is not there yet; another process may be doing the same."""
    try:
        _metadata.create_all(engine)
    except (IntegrityError, OperationalError, ProgrammingError):
        _metadata.create_all(engine)


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes of a run as the table holds them."""
    row = dict(values)
    if isinstance(row.get("error"), Told):
        row["error"] = asdict(row["error"])
    if "tags" in row:
        row["tags"] = list(row["tags"])
    return row


def _run(row: Mapping[Any, Any]) -> Run:
    values = {name.name: row[name.name] for name in fields(Run)}
    error = values["error"]
    return Run(**values | {"tags": tuple(values["tags"]), "error": Told(**error) if error else None})
