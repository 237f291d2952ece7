'use client'

import { useState } from 'react'

import type { Theme } from '@/lib/theme'

import { Icon } from './icons'

const next: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }

export function ThemeButton({ theme: initial }: { theme: Theme }) {
  const [theme, setTheme] = useState(initial)

  function change() {
    const chosen = next[theme]
    setTheme(chosen)
    document.documentElement.dataset.theme = chosen
    document.cookie = `theme=${chosen}; path=/; max-age=31536000; samesite=lax`
  }
  const label = `Theme: ${theme}. Change to ${next[theme]}`
  return (
    <button className="button quiet round" onClick={change} aria-label={label} title={label}>
      <Icon name={theme} />
    </button>
  )
}
