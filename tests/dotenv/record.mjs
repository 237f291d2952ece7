// Records how three readers of .env read the texts in cases.json: the npm package dotenv, Node's own
// (`node --env-file`), and python-dotenv without interpolation. The unit test of src/config/env_file.rs
// compares Taskward's reader with what was recorded.
//
//   pip install python-dotenv==1.2.4 && npm ci && npm run record
//
// PYTHON names another Python than python3.

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import dotenv from 'dotenv'

const PYTHON = `
import io, json, sys
from dotenv import dotenv_values
texts = json.load(sys.stdin)
print(json.dumps([{k: v for k, v in dotenv_values(stream=io.StringIO(text, newline=None), interpolate=False).items() if v is not None} for text in texts]))
`

const file = new URL('cases.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8'))
const texts = cases.map(({ text }) => text)
const python = JSON.parse(
  execFileSync(process.env.PYTHON ?? 'python3', ['-c', PYTHON], {
    input: JSON.stringify(texts),
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1 << 24,
  }),
)
const recorded = cases.map(({ what, text, taskward }, index) => {
  // The packages read a file, of which Node's fs has not removed the byte order mark.
  const read = { dotenv: dotenv.parse(Buffer.from(text)), node: { ...parseEnv(text) }, python: python[index] }
  const agreed = Object.values(read).every((values) => JSON.stringify(values) === JSON.stringify(read.dotenv))
  return { what, text, ...(agreed ? { all: read.dotenv } : read), ...(taskward && { taskward }) }
})
const lines = recorded.map((one) => '  ' + JSON.stringify(one))
writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
