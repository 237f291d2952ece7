'use client'

import { type FormEvent, useState } from 'react'

import { authClient } from '@/lib/auth-client'

import { Field } from './field'

interface Fault {
  code?: string | undefined
  message?: string | undefined
}

export function AccountForm({ kind, next }: { kind: 'sign-in' | 'sign-up'; next: string }) {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<Fault>()
  const isNew = kind === 'sign-up'

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '')
    const account = { name: text('name'), email: text('email'), password: text('password') }
    setBusy(true)
    setFault(undefined)
    const answer = isNew ? authClient.signUp.email(account) : authClient.signIn.email(account)
    const { error } = await answer.catch(() => ({ error: {} })) // Without a connection it rejects.
    if (!error) return location.assign(next) // A new page, in which nothing of anybody else is left.
    setFault(error)
    setBusy(false)
  }

  const ofPassword = fault?.code?.startsWith('PASSWORD_TOO') ? fault.message : undefined
  const ofAll =
    fault && !ofPassword ? fault.message || 'There was no answer. Check your connection and try again.' : undefined
  return (
    // "post", because until the script is there a form would be sent by "get", with the password in the address.
    <form method="post" onSubmit={submit}>
      {isNew && <Field label="Name" name="name" autoComplete="name" required maxLength={100} />}
      <Field label="E-mail" name="email" type="email" autoComplete="email" required />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required
        fault={ofPassword}
        hint={isNew ? 'At least 8 characters.' : undefined}
      />
      {ofAll && (
        <p className="notice failure" role="alert">
          {ofAll}
        </p>
      )}
      <button className="button primary wide" disabled={busy}>
        {isNew ? 'Create account' : 'Sign in'}
      </button>
    </form>
  )
}
