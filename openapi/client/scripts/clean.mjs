// Removes the build, so that no file of an earlier one stays.
import { rmSync } from 'node:fs'

for (const folder of ['dist', 'build']) {
    rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true })
}
