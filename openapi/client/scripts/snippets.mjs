// Puts the code of README.md into build/snippets, where tsc checks it; the first line of a snippet names its file. The
// test in test/quick-start.test.ts runs the one that is JavaScript.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
const snippets = [...readme.matchAll(/^```(?:tsx?|js)\n\/\/ (\S+)\n(.*?)^```$/gms)]
const blocks = readme.match(/^```\w/gm)?.length ?? 0
if (snippets.length === 0 || snippets.length !== blocks) {
    throw new Error(`${blocks} snippets in README.md, ${snippets.length} of them code with a file name`)
}
for (const [, name, code] of snippets) {
    const file = new URL(`../build/snippets/${name}`, import.meta.url)
    await mkdir(dirname(file.pathname), { recursive: true })
    await writeFile(file, code)
}
