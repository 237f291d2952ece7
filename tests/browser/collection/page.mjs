// The page of the test: the collection in a list with one element for each row. esbuild bundles it.

import { createCollection } from '@tanstack/db'
import { createTaskwardClient } from 'taskward-client'
import { taskCollectionOptions, webStorage } from 'taskward-client/tanstack-db'

const { url, token, user } = JSON.parse(decodeURIComponent(location.hash.slice(1)))
const taskward = createTaskwardClient({ baseUrl: url, token })
const outbox = { storage: webStorage(), user }
const quick = { baseDelayMs: 50, maxDelayMs: 500 }
let session = new AbortController()
const open = () => createCollection(taskCollectionOptions({ taskward, outbox, signal: session.signal, ...quick }))
const tasks = open()

const list = document.querySelector('ul')
const element = (key) => list.querySelector(`[data-key="${key}"]`)
let removed = 0
tasks.subscribeChanges(
  (changes) => {
    for (const { type, key, value } of changes) {
      if (type === 'insert') list.append(Object.assign(document.createElement('li')))
      const item = type === 'insert' ? list.lastElementChild : element(key)
      if (type === 'delete') {
        item.remove()
        removed += 1
        continue
      }
      item.dataset.key = key
      item.dataset.version = value.version
      item.textContent = value.title
    }
  },
  { includeInitialState: true },
)

window.app = {
  tasks,
  titles: () => window.app.tasks.toArray.map(({ title }) => title).sort().join(),
  rename(from, to) {
    const { uid } = tasks.toArray.find(({ title }) => title === from)
    return tasks.update(uid, (draft) => void (draft.title = to))
  },
  /** Ends the collection, and gives a new one, as after sign-out and sign-in without a reload. */
  reopen() {
    session.abort()
    session = new AbortController()
    window.app.tasks = open()
    void window.app.tasks.preload()
  },
  /** How many elements were ever removed. */
  removed: () => removed,
}
