'use client'

import { useEffect, useRef } from 'react'
import type { Task } from 'taskward-client'

import { useClock } from '@/lib/clock'
import { type Clock, describeDue } from '@/lib/dates'
import { type Fields, bodyOf, patchOf } from '@/lib/fields'
import { priorities } from '@/lib/filters'

interface Props {
  mine: Fields
  theirs: Task
  keepMine: () => void
  takeTheirs: () => void
}

const labels = { title: 'Title', description: 'Notes', priority: 'Priority', due_date: 'Due', tags: 'Tags' }

type Member = keyof typeof labels

/** The differences between two versions of a task, and a choice. */
export function Conflict({ mine, theirs, keepMine, takeTheirs }: Props) {
  const clock = useClock()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus(), [])
  const members = Object.keys(patchOf(theirs, mine)) as Member[]
  const body = bodyOf(mine)
  return (
    <div className="conflict">
      <h3 ref={heading} tabIndex={-1}>
        This task was changed elsewhere while you were editing
      </h3>
      <p>The two versions differ here. Which one do you want to keep?</p>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">Yours</th>
            <th scope="col">The other one</th>
          </tr>
        </thead>
        <tbody>
          {members.map((member) => (
            <tr key={member}>
              <th scope="row">{labels[member]}</th>
              <td>{show(member, body, clock)}</td>
              <td>{show(member, theirs, clock)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <footer>
        <button className="button" onClick={takeTheirs}>
          Use the other one
        </button>
        <button className="button primary" onClick={keepMine}>
          Keep mine
        </button>
      </footer>
    </div>
  )
}

function show(member: Member, version: Pick<Task, Member>, clock: Clock): string {
  if (member === 'tags') return version.tags.map((tag) => `#${tag}`).join(' ') || '–'
  if (member === 'priority') return priorities[version.priority]
  if (member === 'due_date') return describeDue(version.due_date, clock).text || '–'
  return version[member] || '–'
}
