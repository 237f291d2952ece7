-- Every user adds one task a day, all users in turn, so the rows of one user are spread over the table, as they are
-- in life. psql variables: users, per_user.
INSERT INTO tasks (id, user_id, title, description, completed, created_at, updated_at)
SELECT md5('task-' || u || '-' || n)::uuid, md5('user-' || u),
       'Task ' || n || ': call the dentist, then buy bread',
       CASE WHEN n % 3 < 2 THEN 'Remember the appointment card, and ask whether the second visit can be moved to the week after. Note ' || n END,
       n % 4 = 0, at, at
FROM generate_series(0, :per_user - 1) n, generate_series(0, :users - 1) u,
LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 day' + u * interval '3 milliseconds' AS at) AS made
ORDER BY n, u;

-- What the harness asks for.
CREATE VIEW seeded AS SELECT user_id, id FROM tasks;
