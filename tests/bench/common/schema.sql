-- The schema of the peers that have no migrations of their own.
CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    user_id text NOT NULL,
    title varchar(200) NOT NULL,
    description varchar(2000),
    completed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tasks_user_created ON tasks (user_id, created_at, id);
