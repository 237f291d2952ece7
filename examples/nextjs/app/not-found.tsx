import type { Metadata } from 'next'
import Link from 'next/link'

export const metadata: Metadata = { title: 'Not found' }

export default function NotFound() {
  return (
    <main className="account">
      <div className="card">
        <h1>Page not found</h1>
        <p>The address is wrong, or the page has moved.</p>
        <Link className="button primary" href="/">
          Go to your tasks
        </Link>
      </div>
    </main>
  )
}
