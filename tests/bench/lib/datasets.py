"""The databases that servers are measured over: a template for each schema and size, copied for each server."""
import subprocess
import time

from lib.log import log
from lib.plan import TASKS_PER_USER

DATABASE = "bench"
ISSUER = "http://localhost:3000"


class Datasets:
    def __init__(self, here, work, postgres, load, key_sets):
        self.here, self.work, self.postgres, self.load, self.key_sets = here, work, postgres, load, key_sets
        self.made = {}

    def copy(self, peer, users):
        """Copies the template into a new database, read into memory; gives the folder with the users' tokens."""
        template = f"{peer.schema}_{users}"
        if template not in self.made:
            self.made[template] = self.make(template, peer, users)
        sql = self.postgres.sql
        sql("postgres", f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        sql("postgres", f'CREATE DATABASE "{DATABASE}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        sql(DATABASE, """CREATE EXTENSION IF NOT EXISTS pg_prewarm;
            SELECT sum(pg_prewarm(oid::regclass)) FROM pg_class
            WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace;
            CHECKPOINT""")
        return self.made[template]

    def make(self, template, peer, users):
        began = time.monotonic()
        sql = self.postgres.sql
        folder = self.work / template
        folder.mkdir()
        sql("postgres", f'CREATE DATABASE "{template}"')
        if peer.has_own_schema:
            peer.prepare(self.postgres.url(template), self.key_sets.url(template))
            seed = peer.folder / "seed.sql"
        else:
            sql(template, (self.here / "common/schema.sql").read_text())
            seed = self.here / "common/seed.sql"
        sql(template, seed.read_text(), users=users, per_user=TASKS_PER_USER)
        sql(template, "VACUUM (ANALYZE, FREEZE)")
        (folder / "users").write_text(sql(template, "SELECT DISTINCT user_id FROM seeded ORDER BY 1"))
        numbered = "SELECT dense_rank() OVER (ORDER BY user_id) - 1, id FROM seeded"
        (folder / "tasks").write_text(sql(template, numbered))
        subprocess.run([self.load, "tokens", "--users", folder / "users", "--out", folder, "--issuer", ISSUER],
                       check=True)
        log(f"{template} made in {time.monotonic() - began:.1f} s")
        return folder
