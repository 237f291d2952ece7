'use client'

import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useId, useRef } from 'react'

import { useOnline } from '@/lib/connection'
import { moveDraft, quickDraft, readDraft, taskDraft, useDraft } from '@/lib/drafts'
import { hasChanges, readEdit, writeEdit } from '@/lib/edits'
import { explain, faultsOf } from '@/lib/failures'
import { lengthOf } from '@/lib/length'
import { usePage } from '@/lib/page-context'
import { useOpenTask } from '@/lib/use-address'
import { useChanges } from '@/lib/use-changes'

import { Icon } from './icons'
import { useToasts } from './toasts'

/** A title and Enter create a task. */
export function QuickAdd() {
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const { person, limits } = usePage()
  const online = useOnline()
  const { open } = useOpenTask()
  const { show } = useToasts()
  const name = quickDraft(person)
  const newTask = taskDraft(person, 'new')
  const [draft, setDraft] = useDraft(name)
  const [details, setDetails] = useDraft(newTask)
  const create = useMutation({
    mutationFn: useChanges().create,
    onError(error, { title }) {
      // What was refused comes back, unless the next text is being typed.
      if (readDraft(name) === null) setDraft(title)
      else show({ text: `“${title}” was not added.`, error })
    },
  })

  const title = (draft ?? '').trim()
  const error = create.variables?.title === title ? create.error : null // about what was sent, and not about other text
  const length = lengthOf(title, limits.title)
  const fault = faultsOf(error).title
  const failure = error && !fault ? explain(error, online) : undefined

  function submit(event: FormEvent) {
    event.preventDefault()
    input.current?.focus()
    setDraft(null)
    create.mutate({ title })
  }

  /** Takes the title along, unless another one is being written there: the dialog then says so. */
  function openDetails() {
    const { fields } = readEdit(details)
    const withTitle = writeEdit({ fields: { ...fields, title } })
    if (title !== '' && !hasChanges(details)) moveDraft(name, newTask, withTitle)
    else if (title !== '' && fields.title.trim() === '') {
      setDetails(withTitle)
      setDraft(null)
    }
    open('new')
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
          placeholder="What needs to be done?"
          autoComplete="off"
          enterKeyHint="done"
          value={draft ?? ''}
          onChange={(event) => setDraft(event.target.value || null)}
          aria-invalid={fault !== undefined || Boolean(length?.tooLong)}
          aria-describedby={`${id}-fault ${id}-length`}
        />
        <button className="button primary" aria-label={failure ? 'Try again' : 'Add'}>
          <Icon name="plus" />
          <span>{failure ? 'Try again' : 'Add'}</span>
        </button>
        <DetailsButton open={openDetails} hasDraft={hasChanges(details)} />
      </div>
      <p id={`${id}-length`} className={length?.tooLong ? 'fault' : 'hint'}>
        {!fault && length?.text}
      </p>
      <div id={`${id}-fault`} role="alert">
        {fault && <p className="fault">{fault}</p>}
        {failure && <p className="notice failure">Not added. {failure} Your text is still here.</p>}
      </div>
    </form>
  )
}

function DetailsButton({ open, hasDraft }: { open: () => void; hasDraft: boolean }) {
  const label = hasDraft ? 'Details… (unsaved task)' : 'Details…'
  return (
    <button type="button" className="button details" onClick={open} aria-label={label} title={label}>
      <Icon name="details" />
      <span>Details…</span>
      {hasDraft && <i className="dot" />}
    </button>
  )
}
