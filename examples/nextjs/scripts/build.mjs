// What `./start` builds: each part only if it is missing or older than what it is made of. As a program it only builds.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const example = join(import.meta.dirname, '..')
const root = join(example, '../..')
const client = join(root, 'openapi/client')

/** Gives the path of Taskward's program. */
export function build(env = process.env) {
  const [major] = process.versions.node.split('.').map(Number)
  if (major < 20) fail(`Node ${process.versions.node} is too old: 20 or later is needed.`)

  const install = ['npm', 'ci', '--no-fund', '--no-audit', '--loglevel=error']
  const clientIsNew = isOlder(join(client, 'dist/index.js'), [join(client, 'src'), join(client, 'package-lock.json')])
  if (clientIsNew) {
    step('taskward-client', client, install)
    step('taskward-client', client, ['npm', 'run', 'build', '--silent'])
  }
  const installed = join(example, 'node_modules/.package-lock.json')
  const packages = [join(example, 'package-lock.json'), join(client, 'dist')]
  if (isOlder(installed, packages)) step('the packages of the example', example, install)

  const sources = ['app', 'components', 'lib', 'proxy.ts', 'instrumentation.ts', 'next.config.ts'].map((name) =>
    join(example, name),
  )
  if (isOlder(join(example, '.next/BUILD_ID'), [...sources, installed])) {
    // A build signs nothing, but Better Auth would complain about a missing secret.
    const settings = {
      BETTER_AUTH_SECRET: 'for a build only, which signs nothing',
      NEXT_TELEMETRY_DISABLED: '1',
      ...env,
    }
    step('the example', example, ['npm', 'run', 'build', '--silent'], settings)
  }
  if (process.env.TASKWARD_BIN) return process.env.TASKWARD_BIN
  // Cargo knows by itself what is missing.
  step('Taskward', root, ['cargo', 'build', '--locked'])
  return join(targetFolder(), 'debug/taskward')
}

if (process.argv[1] === import.meta.filename) build()

function step(name, cwd, [command, ...args], env = process.env) {
  console.log(`Building ${name}: ${[command, ...args].join(' ')}`)
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: 'inherit' })
  if (error) fail(`${command} cannot be run (${error.message}). Is it installed?`)
  if (status !== 0) fail(`Building ${name} failed; the messages are above.`)
}

/** Where cargo builds: CARGO_TARGET_DIR and cargo's configuration can move it. */
function targetFolder() {
  const { stdout } = spawnSync('cargo', ['metadata', '--no-deps', '--format-version', '1'], { cwd: root, encoding: 'utf8' })
  return JSON.parse(stdout).target_directory
}

/** Whether `made` is missing, or any file in `sources` is newer. */
function isOlder(made, sources) {
  const time = statSync(made, { throwIfNoEntry: false })?.mtimeMs
  return time === undefined || sources.some((path) => newest(path) > time)
}

function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(...readdirSync(path).map((name) => newest(join(path, name))))
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
