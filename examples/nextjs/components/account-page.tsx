import Link from 'next/link'

import { AccountForm } from './account-form'

const texts = {
  'sign-in': { title: 'Welcome back', other: 'New here?', link: 'Create an account', href: '/sign-up' },
  'sign-up': { title: 'Create an account', other: 'Already have an account?', link: 'Sign in', href: '/sign-in' },
}

interface Props {
  kind: keyof typeof texts
  next: string
  ended?: boolean
  deleted?: boolean
}

export function AccountPage({ kind, next, ended = false, deleted = false }: Props) {
  const { title, other, link, href } = texts[kind]
  return (
    <main className="account">
      <p className="brand">
        <img src="/icon.svg" alt="" width="28" height="28" />
        Taskward
      </p>
      <div className="card">
        <h1>{title}</h1>
        {ended && <p role="status">Your session has ended. Sign in to continue where you were.</p>}
        {deleted && <p role="status">Your account and your tasks have been deleted.</p>}
        <AccountForm kind={kind} next={next} />
      </div>
      <p className="muted">
        {other} <Link href={next === '/' ? href : `${href}?next=${encodeURIComponent(next)}`}>{link}</Link>
      </p>
    </main>
  )
}
