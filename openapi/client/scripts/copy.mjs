// Copies into dist/ what tsc does not write: the document that the client was generated from, and the licences.
import { copyFileSync } from 'node:fs'

const copy = (from, to) => copyFileSync(new URL(from, import.meta.url), new URL(`../dist/${to}`, import.meta.url))

copy('../../openapi.json', 'openapi.json')
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) copy(`../../../${licence}`, licence)
