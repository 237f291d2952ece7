'use client'

import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef } from 'react'
import { type NewTask, type Task, TaskwardError } from 'taskward-client'
import { taskKey } from 'taskward-client/tanstack-db'

import { clearDraft, readDraft, taskDraft, useDraft } from '@/lib/drafts'
import { isChanged, readEdit, writeEdit } from '@/lib/edits'
import { explain, faultsOf } from '@/lib/failures'
import { type Fields, bodyOf, hasAll, isSame, overlaps, rebase } from '@/lib/fields'
import { useOnline } from '@/lib/connection'
import { usePage } from '@/lib/page-context'
import { plain } from '@/lib/tasks'
import { useChanges } from '@/lib/use-changes'

import { Conflict } from './conflict'
import { OtherTitle } from './other-title'
import { TaskFields } from './task-fields'
import { useToasts } from './toasts'

/** Creates a task, or changes `task`. Closing without "Discard" keeps what was typed for the next time. */
export function TaskForm({ task, close }: { task?: Task; close: () => void }) {
  const { person, limits } = usePage()
  const { show } = useToasts()
  const online = useOnline()
  const form = useRef<HTMLFormElement>(null)
  const name = taskDraft(person, task ? taskKey(task) : 'new')
  const [draft, setDraft] = useDraft(name)
  const changes = useChanges()
  const onMutate = () => readDraft(name)
  const create = useMutation({
    mutationFn: (body: NewTask) => changes.create(body),
    onMutate,
    onSuccess(_, _body, sent) {
      clearDraft(name, sent)
      close()
    },
  })
  const save = useMutation({
    mutationFn: changes.save,
    onMutate,
    onSuccess(isSaved, _edit, sent) {
      if (!isSaved) return
      clearDraft(name, sent)
      close()
    },
  })

  const edit = readEdit(draft, task && plain(task))
  const { base, fields } = edit
  const changed = isChanged(edit)
  const change = (changes: Partial<Fields>) => setDraft(writeEdit({ base, fields: { ...fields, ...changes } }))

  const { isPending, error } = task ? save : create
  const sent = (task ? save.variables && bodyOf(save.variables.fields) : create.variables) ?? {}
  const allFaults = Object.entries(faultsOf(error, sent))
  // A fault is about the value that was sent: it goes as soon as the field has another one.
  const faults = Object.fromEntries(allFaults.filter(([member]) => isSame(sent, bodyOf(fields), member)))
  const failure = error && allFaults.length === 0 ? explain(error, online) : undefined
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [error])

  function discard() {
    setDraft(null)
    close()
  }

  function removeTask(task: Task) {
    close()
    // The draft goes with the task. If the task stays, the draft stays too.
    changes.remove(task).then(
      () => setDraft(null),
      () => {},
    )
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    if (isPending) return
    if (!base) create.mutate(bodyOf(fields))
    else if (changed) save.mutate({ base, fields })
    else discard()
  }

  const isAsked = save.data === false || TaskwardError.is(save.error, 'version_mismatch') || edit.isRefused
  const differs = task && base && overlaps(base, fields, task) && !hasAll(base, fields, task)
  if (isAsked && differs && !isPending) {
    const theirs = plain(task)
    const mine = rebase(base, fields, theirs)
    const keepMine = () => {
      // From now on this is an edit of their version, so after a failure the next attempt is right too.
      setDraft(writeEdit({ base: theirs, fields: mine }))
      save.mutate({ base: theirs, fields: mine })
    }
    const takeTheirs = () => {
      discard()
      show({ text: 'The other version is kept.' })
    }
    return <Conflict mine={mine} theirs={theirs} keepMine={keepMine} takeTheirs={takeTheirs} />
  }

  return (
    <form ref={form} onSubmit={submit} noValidate>
      {!task && changed && <OtherTitle />}
      <TaskFields fields={fields} change={change} faults={faults} limits={limits} />
      <div role="alert">
        {failure && <p className="notice failure">Not saved yet. {failure} Nothing you typed is lost.</p>}
      </div>
      <footer>
        {task && (
          <button type="button" className="button danger" onClick={() => removeTask(task)}>
            Delete
          </button>
        )}
        <button type="button" className="button" onClick={discard}>
          {changed ? 'Discard' : 'Cancel'}
        </button>
        <button className="button primary" aria-disabled={isPending}>
          {isPending ? 'Saving…' : failure ? 'Try again' : task ? 'Save' : 'Add task'}
        </button>
      </footer>
    </form>
  )
}
