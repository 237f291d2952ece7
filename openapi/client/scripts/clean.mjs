// Removes what was built: a file that is no longer made may not stay.
import { rmSync } from 'node:fs'

for (const folder of ['dist', 'build']) {
    rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true })
}
