// Next calls this once when a server starts, before it accepts requests.

export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { migrateAccounts } = await import('./lib/migrate-accounts')
  await migrateAccounts()
}
