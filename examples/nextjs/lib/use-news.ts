'use client'

// Says what changes without anybody doing it on this page: an agent, another device, another window.

import { useEffect, useEffectEvent } from 'react'
import type { Task } from 'taskward-client'

import { useToasts } from '@/components/toasts'

import { usePage } from './page-context'
import type { Tasks } from './tasks'

type Changes = Parameters<Parameters<Tasks['subscribeChanges']>[0]>[0]
type Row = Changes[number]['value']

export function useNews() {
  const { tasks, stream, removed } = usePage()
  const { show } = useToasts()
  const tell = useEffectEvent((changes: Changes) => {
    const news = inPairs(changes).flatMap(([key, pair]) => newsOf(key, pair, removed) ?? [])
    if (news.length > 0)
      show({ text: news.length === 1 ? String(news[0]) : `${news.length} tasks were changed elsewhere.` })
  })
  useEffect(() => {
    // The first tasks are no news: they come before the stream does.
    let isInStep = false
    // With the initial state, since otherwise nothing is told of the deletion of a task that was there.
    const changes = tasks.subscribeChanges((changes) => isInStep && tell(changes), { includeInitialState: true })
    const note = () => void (isInStep ||= stream.isLive)
    note()
    const stop = stream.subscribe(note)
    return () => {
      stop()
      changes.unsubscribe()
    }
  }, [tasks, stream])
}

interface Pair {
  before: Row | undefined
  after: Row | undefined
}

/** Each row before and after some changes. Rows that are read anew are deleted and inserted. */
function inPairs(changes: Changes): [string, Pair][] {
  const pairs = new Map<string, Pair>()
  for (const { type, key, value, previousValue } of changes) {
    const before = type === 'delete' ? value : previousValue
    const first = pairs.get(String(key))
    pairs.set(String(key), { before: first ? first.before : before, after: type === 'delete' ? undefined : value })
  }
  return [...pairs]
}

function newsOf(key: string, { before, after }: Pair, removed: ReadonlySet<string>): string | undefined {
  const text = (what: string, { title }: Row) => `${what} elsewhere: “${title}”.`
  if (before && after) {
    // When the server confirms a change of this page, the version is new and the rest is there already.
    if (after.version === before.version || looksTheSame(before, after)) return undefined
    return text(after.completed && !before.completed ? 'Done' : 'Changed', after)
  }
  if (removed.has(key)) return undefined
  if (after) return after.$origin === 'remote' ? text('Added', after) : undefined
  return before && text('Deleted', before)
}

const visible = ['title', 'description', 'completed', 'priority', 'due_date', 'tags'] as const

const looksTheSame = (one: Task, other: Task) =>
  visible.every((member) => JSON.stringify(one[member]) === JSON.stringify(other[member]))
