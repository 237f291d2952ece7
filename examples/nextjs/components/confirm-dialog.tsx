'use client'

import { type ComponentProps, type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'

import type { DeletionFault } from '@/lib/delete-account'

import { Field } from './field'
import { Modal } from './modal'

interface Props {
  /** What is done, as the heading and on the button. */
  label: string
  /** What is lost. */
  children: ReactNode
  /** What the person types to confirm. */
  field: ComponentProps<typeof Field>
  /** Does it, and goes to another page; or gives what is wrong. */
  run: (typed: string) => Promise<DeletionFault | undefined>
  close: () => void
}

/** Asks before something that cannot be undone. */
export function ConfirmDialog({ label, children, field, run, close }: Props) {
  const form = useRef<HTMLFormElement>(null)
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<DeletionFault>({})
  useEffect(() => {
    if (fault.field) form.current?.querySelector('input')?.focus()
  }, [fault])

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setFault({})
    const fault = await run(typed)
    if (!fault) return // The page is left.
    setFault(fault)
    setBusy(false)
  }
  // What is under way cannot be called back.
  const cancel = () => busy || close()

  return (
    <Modal label={label} close={cancel}>
      {/* "post", because "get" would put a password into the address. */}
      <form ref={form} method="post" onSubmit={submit} noValidate>
        {children}
        <Field
          {...field}
          value={typed}
          fault={fault.field}
          onChange={(event) => {
            setTyped(event.target.value)
            setFault({})
          }}
        />
        <div role="alert">{fault.form && <p className="notice failure">{fault.form}</p>}</div>
        <footer>
          <button type="button" className="button" onClick={cancel} aria-disabled={busy}>
            Cancel
          </button>
          <button className="button destructive" aria-disabled={busy}>
            {busy ? 'Deleting…' : label}
          </button>
        </footer>
      </form>
    </Modal>
  )
}
