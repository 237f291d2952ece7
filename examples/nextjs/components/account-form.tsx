'use client'

import { type FormEvent, useState } from 'react'

import { type AccountFaults, accountFaults } from '@/lib/account-faults'
import { authClient } from '@/lib/auth-client'

import { Field } from './field'

export function AccountForm({ kind, next }: { kind: 'sign-in' | 'sign-up'; next: string }) {
  const [busy, setBusy] = useState(false)
  const [faults, setFaults] = useState<AccountFaults>({})
  const isNew = kind === 'sign-up'

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name) ?? '')
    const account = { name: text('name').trim(), email: text('email').trim(), password: text('password') }
    setBusy(true)
    setFaults({})
    const answer = isNew ? authClient.signUp.email(account) : authClient.signIn.email(account)
    const { error } = await answer.catch(() => ({ error: {} })) // It rejects when there is no connection.
    if (!error) return location.assign(next) // A new page, without anything of another person in memory.
    setFaults(accountFaults(error))
    setBusy(false)
  }

  /** A fault goes as soon as its field is changed. */
  const field = (name: 'name' | 'email' | 'password') => ({
    name,
    fault: faults[name],
    onChange: () => setFaults({ ...faults, [name]: undefined }),
  })
  return (
    // "post", because before the script has loaded the browser itself sends the form, and "get" would put the password
    // into the address.
    <form method="post" onSubmit={submit}>
      {isNew && <Field label="Name" autoComplete="name" required {...field('name')} />}
      <Field label="E-mail" type="email" autoComplete="email" required {...field('email')} />
      <Field
        label="Password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        required
        hint={isNew ? 'At least 8 characters.' : undefined}
        {...field('password')}
      />
      {faults.form && (
        <p className="notice failure" role="alert">
          {faults.form}
        </p>
      )}
      <button className="button primary wide" disabled={busy}>
        {isNew ? 'Create account' : 'Sign in'}
      </button>
    </form>
  )
}
