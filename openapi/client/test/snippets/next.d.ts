// What the snippets of the README use of Next.js, which is too large to be installed for this alone.

declare module 'next/headers' {
  export function headers(): Promise<Headers>
}
