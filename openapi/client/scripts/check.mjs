// `npm run check`, which builds first: is the generated code up to date, and is the package fit to be published? It
// continues after a failure, so that one run shows all failures.

import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

import { generate, generatedFolder } from './generate.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { peerDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
/**
 * What a front end may import, and how large that may be, in bytes after gzip. An entry without a limit has peer
 * dependencies, which do not count.
 */
const ENTRIES = [
    ['the client', "export { createTaskwardClient, TaskwardError, rememberToken } from './dist/index.js'", 7200],
    ['all of the main entry', "export * from './dist/index.js'", 9000],
    ['tanstack-db', "export * from './dist/tanstack-db/index.js'", Infinity],
    ['react-query', "export * from './dist/react-query.js'", Infinity],
    ['zod', "export * from './dist/zod.js'", Infinity],
]

async function drift() {
    const folder = await mkdtemp(join(tmpdir(), 'taskward-client-check-'))
    try {
        await generate(join(folder, 'generated'))
        const [committed, fresh] = [await files(generatedFolder), await files(join(folder, 'generated'))]
        const names = new Set([...committed.keys(), ...fresh.keys()])
        const drifted = [...names].filter((name) => committed.get(name) !== fresh.get(name))
        return drifted.map((name) => `src/generated/${name} is not what openapi.json gives: npm run generate`)
    } finally {
        await rm(folder, { recursive: true, force: true })
    }
}

async function files(folder) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const paths = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    const read = async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')]
    return new Map(await Promise.all(paths.map(read)))
}

/** A program of node_modules, which has succeeded if it exits with 0. */
const program =
    (...args) =>
    async () => {
        const { status, stdout, stderr } = spawnSync('npx', ['--no-install', ...args], { cwd: root, encoding: 'utf8' })
        return status === 0 ? [] : [stdout + stderr]
    }

async function published() {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true, pack: 'npm' })
    return messages.map((message) => formatMessage(message, pkg))
}

async function size() {
    const faults = []
    for (const [name, code, limit] of ENTRIES) {
        const bundle = await build({
            stdin: { contents: code, resolveDir: root },
            bundle: true,
            minify: true,
            write: false,
            format: 'esm',
            platform: 'browser',
            target: 'es2022',
            external: limit === Infinity ? Object.keys(peerDependencies) : [],
        })
        const bytes = bundle.outputFiles[0].contents
        const packed = gzipSync(bytes, { level: 9 }).byteLength
        console.log(`  ${name}: ${bytes.byteLength} bytes, ${packed} after gzip`)
        if (packed > limit) faults.push(`${name} is larger than ${limit} bytes after gzip`)
    }
    return faults
}

const checks = {
    'generated code is current': drift,
    formatting: program('prettier', '--check', '.'),
    types: program('tsc', '--strict', '--noEmit', '--project', 'tsconfig.json'),
    'snippets of the README': program('tsc', '--noEmit', '--project', 'tsconfig.snippets.json'),
    publint: published,
    size,
}

for (const [name, check] of Object.entries(checks)) {
    const faults = await check()
    console.log(faults.length === 0 ? `ok: ${name}` : `FAILED: ${name}\n${faults.join('\n')}`)
    if (faults.length > 0) process.exitCode = 1
}
