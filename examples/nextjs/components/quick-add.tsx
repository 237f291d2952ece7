'use client'

import { type FormEvent, useId, useRef } from 'react'

import { draftName, useDraft } from '@/lib/drafts'
import { explain, faultsOf } from '@/lib/failures'
import { usePage } from '@/lib/page-context'
import { useOpenTask } from '@/lib/use-address'
import { useCreateTask } from '@/lib/use-tasks'

import { Icon } from './icons'
import { useToasts } from './toasts'

/** A title and Enter make a task. */
export function QuickAdd() {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const { person } = usePage()
  const name = draftName(person, 'quick-add')
  const [draft, setDraft] = useDraft(name)
  const { open } = useOpenTask()
  const { show } = useToasts()
  const create = useCreateTask(name)
  const fault = faultsOf(create.error).title
  const failure = create.error && !fault ? explain(create.error) : undefined

  function submit(event: FormEvent) {
    event.preventDefault()
    if (create.isPending) return
    input.current?.focus()
    create.mutate(
      { title: (draft ?? '').trim() },
      {
        onSuccess: ({ title, replayed }) => {
          setDraft(null)
          show({ text: replayed ? `“${title}” was there already.` : `“${title}” added.` })
        },
      },
    )
  }

  return (
    <form className="quick-add" onSubmit={submit} aria-label="Add a task">
      <div className="row">
        <label htmlFor={id} className="hidden">
          New task
        </label>
        <input
          ref={input}
          id={id}
          className="input"
          placeholder="What is to be done?"
          autoComplete="off"
          enterKeyHint="done"
          value={draft ?? ''}
          onChange={(event) => setDraft(event.target.value || null)}
          aria-invalid={fault !== undefined}
          aria-describedby={`${id}-note`}
        />
        <button className="button primary" aria-disabled={create.isPending} aria-label={failure ? 'Try again' : 'Add'}>
          <Icon name="plus" />
          <span>{failure ? 'Try again' : 'Add'}</span>
        </button>
        <button
          type="button"
          className="button"
          onClick={() => open('new')}
          aria-label="Details…"
          title="A task with details"
        >
          <Icon name="details" />
          <span>Details…</span>
        </button>
      </div>
      <div id={`${id}-note`} role="alert">
        {fault && <p className="fault">{fault}</p>}
        {failure && <p className="notice failure">Not added yet. {failure} Your text is still here.</p>}
      </div>
    </form>
  )
}
