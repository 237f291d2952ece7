-- Every user adds one task a day, all users in turn, so the rows of one user are spread over the table, as they are
-- in life. psql variables: users, per_user.
INSERT INTO user_clock (user_id, revision, last_task_id, task_count, row_count, updated_at)
SELECT md5('user-' || u), :per_user, :per_user, :per_user, :per_user, timestamptz '2026-01-01' + :per_user * interval '1 day'
FROM generate_series(0, :users - 1) u;

INSERT INTO task (user_id, id, title, title_fold, description, description_fold, completed_at, priority,
                  due_is_date, tags, tags_fold, created_at, updated_at, revision)
SELECT md5('user-' || u), n + 1, title, lower(title), description, lower(description),
       CASE WHEN n % 4 = 0 THEN at END, 1, false, '[]', E'\n', at, at, n + 1
FROM generate_series(0, :per_user - 1) n, generate_series(0, :users - 1) u,
LATERAL (SELECT 'Task ' || n || ': call the dentist, then buy bread' AS title,
                CASE WHEN n % 3 < 2 THEN 'Remember the appointment card, and ask whether the second visit can be moved to the week after. Note ' || n END AS description,
                timestamptz '2026-01-01' + n * interval '1 day' + u * interval '3 milliseconds' AS at) AS made
ORDER BY n, u;

-- What the harness asks for.
CREATE VIEW seeded AS SELECT user_id, id FROM task;
