'use client'

import { useEffect, useId, useState } from 'react'

import { type Filters, type Status, isNarrowed, priorities, sorts, statuses } from '@/lib/filters'
import { usePage } from '@/lib/page-context'
import { useFilters } from '@/lib/use-address'
import { useTasks } from '@/lib/use-tasks'

import { Icon } from './icons'

export function FilterBar() {
  const { filters, change } = useFilters()
  const [clearings, setClearings] = useState(0)
  const { first } = usePage()
  const tasks = useTasks().tasks ?? first.tasks
  const tags = [...new Set([...tasks.flatMap((task) => task.tags), filters.tag])].filter(Boolean).sort()

  function clear() {
    change({ status: 'all', priority: '', tag: '', q: '' })
    setClearings(clearings + 1)
  }
  return (
    <search className="filters">
      <SearchField key={clearings} initial={clearings === 0 ? filters.q : ''} />
      <div className="strip">
        <fieldset className="segments">
          <legend className="hidden">Show</legend>
          {Object.entries(statuses).map(([status, label]) => (
            <label key={status}>
              <input
                type="radio"
                name="status"
                checked={filters.status === status}
                onChange={() => change({ status: status as Status })}
              />
              {label}
            </label>
          ))}
        </fieldset>
        <Choice name="priority" label="Priority" any="Any priority" options={Object.entries(priorities)} />
        <Choice name="tag" label="Tag" any="Any tag" options={tags.map((tag) => [tag, `#${tag}`])} />
      </div>
      <Choice name="sort" label="Order" options={Object.entries(sorts)} />
      {isNarrowed(filters) && (
        <button className="button quiet" onClick={clear}>
          Clear filters
        </button>
      )}
    </search>
  )
}

interface ChoiceProps {
  name: keyof Filters
  label: string
  /** The option without a filter. */
  any?: string
  options: [string, string][]
}

function Choice({ name, label, any, options }: ChoiceProps) {
  const { filters, change } = useFilters()
  const value = filters[name]
  return (
    <select
      className={value && any ? 'pill chosen' : 'pill'}
      aria-label={label}
      value={value}
      onChange={(event) => change({ [name]: event.target.value })}
    >
      {any && <option value="">{any}</option>}
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  )
}

/** Searches when the typing pauses. */
function SearchField({ initial }: { initial: string }) {
  const id = useId()
  const { filters, change } = useFilters()
  const [text, setText] = useState(initial)
  useEffect(() => {
    if (text === filters.q) return
    const timer = setTimeout(() => change({ q: text }), 250)
    return () => clearTimeout(timer)
  })
  return (
    <div className="search">
      <Icon name="search" />
      <label htmlFor={id} className="hidden">
        Search
      </label>
      <input
        id={id}
        type="search"
        className="pill"
        placeholder="Search"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </div>
  )
}
