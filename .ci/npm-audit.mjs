// Runs `npm audit` for each Node project of the repository.
//
//   node .ci/npm-audit.mjs [FOLDER…]      default: each folder with a package-lock.json in git
//
// Fails if a package that is installed with --omit=dev has an advisory of high or critical severity that
// .ci/npm-audit-accepted.txt does not list. Other advisories are printed. If the registry has no audit endpoint, or
// cannot be reached, the script prints that, and does not fail. ACCEPTED=FILE names another list.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const SEVERE = ['high', 'critical']

const folders = process.argv.length > 2 ? process.argv.slice(2) : projects()
const accepted = readAccepted(process.env.ACCEPTED ?? join(import.meta.dirname, 'npm-audit-accepted.txt'))
const unanswered = []
const refused = []

for (const folder of folders) {
  const name = relative(root, folder) || '.'
  const production = audit(folder, ['--omit=dev'])
  const all = production.advisories && audit(folder, [])
  if (!all?.advisories) {
    unanswered.push(`${name}: ${production.unanswered ?? all.unanswered}`)
    continue
  }
  for (const [id, advisory] of all.advisories) {
    const where = production.advisories.has(id) ? 'production' : 'development only'
    const reason = accepted.get(id)
    console.log(`${name}: ${advisory.severity}, ${where}: ${advisory.package} ${advisory.range}: ${advisory.title} (${id})`)
    if (reason) console.log(`    accepted: ${reason}`)
    else if (where === 'production' && SEVERE.includes(advisory.severity)) refused.push(`${name}: ${advisory.package} (${id})`)
  }
}

console.log(`${folders.length - unanswered.length} of ${folders.length} projects were audited.`)
if (unanswered.length > 0) {
  console.log('The registry does not answer npm audit, so these were not checked:')
  for (const line of unanswered) console.log(`  ${line}`)
}
if (refused.length > 0) {
  console.log('High or critical in production. Update the package, or accept the advisory with a reason in .ci/npm-audit-accepted.txt:')
  for (const line of refused) console.log(`  ${line}`)
  process.exitCode = 1
}

function projects() {
  const locks = execFileSync('git', ['ls-files', '*package-lock.json'], { cwd: root, encoding: 'utf8' })
  return locks.trim().split('\n').map((lock) => join(root, dirname(lock)))
}

/** The advisories of a project by id, or why the registry did not answer. */
function audit(folder, options) {
  const { stdout, stderr, error } = spawnSync('npm', ['audit', '--json', ...options], { cwd: folder, encoding: 'utf8' })
  if (error) throw error
  const report = JSON.parse(stdout)
  if (report.vulnerabilities) {
    const found = Object.values(report.vulnerabilities).flatMap(({ via }) => via.filter((cause) => typeof cause === 'object'))
    return {
      advisories: new Map(
        found.map(({ url, name, range, severity, title }) => [url.split('/').at(-1), { package: name, range, severity, title }]),
      ),
    }
  }
  // An error of the project has a code (no lock file, for example); an error of the registry has none.
  if (report.error?.code || !report.message) throw new Error(`npm audit in ${folder}: ${stdout}${stderr}`)
  return { unanswered: report.statusCode ? `status ${report.statusCode}` : report.message.split('reason: ').at(-1) }
}

/** Lines of `ID reason`. */
function readAccepted(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.trim() && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, id, reason] = /^(GHSA-\S+)\s+(\S.*)$/.exec(line) ?? []
      if (!id) throw new Error(`${file}: not an id of an advisory and a reason: ${line}`)
      return [id, reason]
    }),
  )
}
