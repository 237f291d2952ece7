'use client'

export default function ErrorPage({ reset }: { reset: () => void }) {
  return (
    <main className="account">
      <div className="card">
        <h1>This page could not be loaded</h1>
        <p>The server has a problem. What you typed is kept.</p>
        <button className="button primary" onClick={reset}>
          Try again
        </button>
      </div>
    </main>
  )
}
