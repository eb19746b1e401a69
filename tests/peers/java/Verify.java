import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Runs the Java example of docs/verify-a-token.md: {@code Verify 'JSON'} with issuer, audience, jwksUri, parties, levels,
 * clock. Reads tokens from standard input, one a line; prints "accepted" or the refusal for each.
 */
public final class Verify {
  public static void main(String[] arguments) throws Exception {
    Map<String, Object> settings = JSONObjectUtils.parse(arguments[0]);
    long clock = JSONObjectUtils.getLong(settings, "clock");
    IdentityTokens tokens =
        new IdentityTokens(
            JSONObjectUtils.getString(settings, "issuer"),
            JSONObjectUtils.getString(settings, "audience"),
            URI.create(JSONObjectUtils.getString(settings, "jwksUri")).toURL(),
            texts(settings, "parties"),
            texts(settings, "levels"),
            Clock.fixed(Instant.ofEpochSecond(clock), ZoneOffset.UTC));
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      try {
        tokens.verify(line);
        System.out.println("accepted");
      } catch (Exception refused) {
        System.out.println("refused: " + String.valueOf(refused.getMessage()).replace('\n', ' '));
      }
    }
  }

  private static Set<String> texts(Map<String, Object> settings, String name) throws Exception {
    return new HashSet<>(JSONObjectUtils.getStringList(settings, name));
  }
}
