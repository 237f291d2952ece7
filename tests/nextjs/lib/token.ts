/** The test's way to a token: a cookie of that name. */
export async function tokenOf(request: Request): Promise<string | undefined> {
  return /(?:^|; )token=([^;]+)/.exec(request.headers.get('Cookie') ?? '')?.[1]
}
