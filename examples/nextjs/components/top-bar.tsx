'use client'

import { usePage } from '@/lib/page-context'
import type { Theme } from '@/lib/theme'

import { Icon } from './icons'
import { SignOutButton } from './sign-out-button'
import { ThemeButton } from './theme-button'

/** The top of each page of a person who is signed in. */
export function TopBar({ theme }: { theme: Theme }) {
  const { person } = usePage()
  return (
    <header className="top">
      <p className="brand">
        <img src="/icon.svg" alt="" width="24" height="24" />
        Taskward
      </p>
      {/* A plain link, which loads a new page: two pages in one window would both send what waits. */}
      <a className="button quiet who" href="/account">
        <Icon name="person" />
        <span className="hidden">Account: </span>
        <span>{person.name}</span>
      </a>
      <ThemeButton theme={theme} />
      <SignOutButton />
    </header>
  )
}
