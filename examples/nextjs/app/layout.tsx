import type { Metadata, Viewport } from 'next'
import { cookies } from 'next/headers'
import type { ReactNode } from 'react'

import { readTheme } from '@/lib/theme'

import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/page.css'
import './styles/filters.css'
import './styles/tasks.css'
import './styles/dialog.css'
import './styles/toasts.css'
import './styles/account.css'

export const metadata: Metadata = {
  title: { default: 'Taskward', template: '%s · Taskward' },
  description: 'Your tasks, and nobody else’s.',
}

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f5f1' },
    { media: '(prefers-color-scheme: dark)', color: '#131615' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // The theme is in a cookie, so that the first byte of the page has it: no flash, and no script in the head.
  const theme = readTheme((await cookies()).get('theme')?.value)
  return (
    <html lang="en" data-theme={theme}>
      <body>{children}</body>
    </html>
  )
}
