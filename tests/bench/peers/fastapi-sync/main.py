"""The genre that Taskward replaces: FastAPI, SQLModel and PyJWT over psycopg2.

In its strongest form: the session is opened in the endpoint. As a `yield` dependency, the form that the documentation
teaches, a request keeps its connection while it waits for a thread, and the server locks up as soon as more requests are
under way than there are connections.
"""
import base64
import os
import uuid
from datetime import datetime, timezone
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Column, DateTime, tuple_
from sqlmodel import Field, Session, SQLModel, create_engine, select

# Connections are shared out among the processes.
POOL = max(1, int(os.environ["DB_POOL"]) // int(os.environ["WORKERS"]))
URL = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg2://", 1)

engine = create_engine(URL, pool_size=POOL, max_overflow=0)
key_set = jwt.PyJWKClient(os.environ["JWKS_URL"], cache_keys=True, lifespan=3600)
bearer = HTTPBearer()
app = FastAPI(title="Todo API")


def now() -> datetime:
    return datetime.now(timezone.utc)


class TaskBase(SQLModel):
    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)


class Task(TaskBase, table=True):
    __tablename__ = "tasks"
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    user_id: str = Field(index=True)
    completed: bool = False
    created_at: datetime = Field(default_factory=now, sa_column=Column(DateTime(timezone=True)))
    updated_at: datetime = Field(default_factory=now, sa_column=Column(DateTime(timezone=True)))


class TaskCreate(TaskBase):
    pass


class TaskUpdate(SQLModel):
    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=2000)
    completed: bool | None = None


class TaskRead(TaskBase):
    id: uuid.UUID
    completed: bool
    created_at: datetime
    updated_at: datetime


class TaskPage(SQLModel):
    items: list[TaskRead]
    next_cursor: str | None = None


def current_user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
    token = credentials.credentials
    try:
        key = key_set.get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=["EdDSA"], issuer=os.environ["JWT_ISSUER"],
                            audience=os.environ["JWT_AUDIENCE"])
        return claims["sub"]
    except (jwt.PyJWTError, KeyError):
        raise HTTPException(status_code=401, detail="Invalid token")


User = Annotated[str, Depends(current_user)]


def session() -> Session:
    return Session(engine, expire_on_commit=False)


def owned(db: Session, user: str, task_id: uuid.UUID) -> Task:
    task = db.exec(select(Task).where(Task.id == task_id, Task.user_id == user)).first()
    if not task:
        raise HTTPException(status_code=404, detail="Task not found")
    return task


def cursor_of(task: Task) -> str:
    raw = f"{task.created_at.isoformat()}|{task.id}"
    return base64.urlsafe_b64encode(raw.encode()).decode()


def read_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        at, task_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        return datetime.fromisoformat(at), uuid.UUID(task_id)
    except ValueError:
        raise HTTPException(status_code=422, detail="Bad cursor")


@app.post("/api/v1/tasks", response_model=TaskRead, status_code=201)
def create_task(body: TaskCreate, user: User):
    task = Task.model_validate(body, update={"user_id": user})
    with session() as db:
        db.add(task)
        db.commit()
        db.refresh(task)
    return task


@app.get("/api/v1/tasks", response_model=TaskPage)
def list_tasks(user: User, limit: Annotated[int, Query(ge=1, le=100)] = 50, cursor: str | None = None):
    query = select(Task).where(Task.user_id == user)
    if cursor:
        query = query.where(tuple_(Task.created_at, Task.id) < read_cursor(cursor))
    # One row more than is shown tells whether there is a next page.
    query = query.order_by(Task.created_at.desc(), Task.id.desc()).limit(limit + 1)
    with session() as db:
        tasks = db.exec(query).all()
    more = len(tasks) > limit
    return {"items": tasks[:limit], "next_cursor": cursor_of(tasks[limit - 1]) if more else None}


@app.get("/api/v1/tasks/{task_id}", response_model=TaskRead)
def get_task(task_id: uuid.UUID, user: User):
    with session() as db:
        return owned(db, user, task_id)


@app.patch("/api/v1/tasks/{task_id}", response_model=TaskRead)
def update_task(task_id: uuid.UUID, body: TaskUpdate, user: User):
    with session() as db:
        task = owned(db, user, task_id)
        task.sqlmodel_update(body.model_dump(exclude_unset=True))
        task.updated_at = now()
        db.add(task)
        db.commit()
        db.refresh(task)
    return task


@app.delete("/api/v1/tasks/{task_id}", status_code=204)
def delete_task(task_id: uuid.UUID, user: User):
    with session() as db:
        db.delete(owned(db, user, task_id))
        db.commit()
