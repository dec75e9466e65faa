#error nobody includes it
