// Puts the TypeScript of README.md into build/snippets, where tsc looks whether it compiles. The first line of a
// snippet names its file.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const snippets = [...readme.matchAll(/^```tsx?\n\/\/ (\S+)\n(.*?)^```$/gms)]
const blocks = readme.match(/^```\w/gm)?.length ?? 0
if (snippets.length === 0 || snippets.length !== blocks) {
    throw new Error(`${blocks} snippets in README.md, ${snippets.length} of them TypeScript with a file name`)
}
for (const [, name, code] of snippets) {
    const file = new URL(`../build/snippets/${name}`, import.meta.url)
    await mkdir(dirname(file.pathname), { recursive: true })
    await writeFile(file, code)
}
