import com.teragrep.pth_03.antlr.DPLLexer;
import com.teragrep.pth_03.antlr.DPLParser;
import com.teragrep.pth_03.shaded.org.antlr.v4.runtime.BaseErrorListener;
import com.teragrep.pth_03.shaded.org.antlr.v4.runtime.CharStreams;
import com.teragrep.pth_03.shaded.org.antlr.v4.runtime.CommonTokenStream;
import com.teragrep.pth_03.shaded.org.antlr.v4.runtime.RecognitionException;
import com.teragrep.pth_03.shaded.org.antlr.v4.runtime.Recognizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Scanner;

/** Reads queries in Base64, one a line, and writes for each "ok" or its first error of syntax. */
public class Syntax {
    public static void main(String[] arguments) {
        Scanner lines = new Scanner(System.in, StandardCharsets.UTF_8);
        while (lines.hasNextLine()) {
            String query = new String(Base64.getDecoder().decode(lines.nextLine()), StandardCharsets.UTF_8);
            List<String> errors = new ArrayList<>();
            BaseErrorListener listener = new BaseErrorListener() {
                @Override
                public void syntaxError(Recognizer<?, ?> from, Object symbol, int line, int column, String message,
                        RecognitionException cause) {
                    errors.add(line + ":" + column + " " + message.replaceAll("\\s+", " "));
                }
            };
            DPLLexer lexer = new DPLLexer(CharStreams.fromString(query));
            lexer.removeErrorListeners();
            lexer.addErrorListener(listener);
            DPLParser parser = new DPLParser(new CommonTokenStream(lexer));
            parser.removeErrorListeners();
            parser.addErrorListener(listener);
            parser.root();
            System.out.println(errors.isEmpty() ? "ok" : errors.get(0));
        }
    }
}
