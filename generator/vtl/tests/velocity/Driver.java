// Renders templates with Apache Velocity 1.7: reads one case per line and writes one result per line.
//
// A case has three fields, separated by tabs: how references without a value render (`source` or `empty`), the template and its
// variables as JSON, both in base64. A result is `ok` and the output, or `error` and the exception, in base64.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.apache.velocity.app.event.EventCartridge;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.context.Context;
import org.apache.velocity.util.introspection.Info;

public class Driver {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, "UTF-8");
        // Results alone go to the output.
        System.setOut(System.err);
        VelocityEngine shared = engine();
        String line;
        while ((line = in.readLine()) != null) {
            String[] fields = line.split("\t", -1);
            String template = decode(fields[1]);
            // Macros stay in an engine.
            boolean own = template.contains("macro") || template.contains("evaluate");
            out.println(render(own ? engine() : shared, fields[0], template, decode(fields[2])));
            out.flush();
        }
    }

    static VelocityEngine engine() {
        VelocityEngine engine = new VelocityEngine();
        engine.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        engine.setProperty("velocimacro.library", "");
        engine.init();
        return engine;
    }

    static String render(VelocityEngine engine, String mode, String template, String variables) {
        VelocityContext context = new VelocityContext((Map<?, ?>) new Json(variables).value());
        context.put("util", new Util());
        if (mode.equals("empty")) {
            EventCartridge cartridge = new EventCartridge();
            cartridge.addEventHandler(new EmptyReferences());
            cartridge.attachToContext(context);
        }
        StringWriter writer = new StringWriter();
        try {
            engine.evaluate(context, writer, "case", template);
        } catch (Throwable error) {
            return "error\t" + encode(error.toString());
        }
        return "ok\t" + encode(writer.toString());
    }

    static String encode(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    static String decode(String text) {
        return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
    }

    /** What API Gateway does with references that have no value, as far as it can be seen from outside. */
    public static class EmptyReferences implements InvalidReferenceEventHandler {
        public Object invalidGetMethod(Context context, String reference, Object object, String property, Info info) {
            return "";
        }

        public boolean invalidSetMethod(Context context, String leftReference, String rightReference, Info info) {
            return false;
        }

        public Object invalidMethod(Context context, String reference, Object object, String method, Info info) {
            return "";
        }
    }

    /** The functions of $util that Java or Apache Commons have. */
    public static class Util {
        public String escapeJavaScript(Object value) {
            return StringEscapeUtils.escapeJavaScript(String.valueOf(value));
        }

        public String urlEncode(String text) throws Exception {
            return java.net.URLEncoder.encode(text, "UTF-8");
        }

        public String urlDecode(String text) throws Exception {
            return java.net.URLDecoder.decode(text, "UTF-8");
        }

        public String base64Encode(String text) {
            return encode(text);
        }

        public String base64Decode(String text) {
            return decode(text);
        }
    }

    /** Reads JSON that serde_json has written. */
    static class Json {
        private final String text;
        private int at = 0;

        Json(String text) {
            this.text = text;
        }

        Object value() {
            char c = text.charAt(at);
            if (c == '{') {
                Map<String, Object> map = new LinkedHashMap<>();
                at++;
                while (text.charAt(at) != '}') {
                    String key = string();
                    at++;
                    map.put(key, value());
                    comma();
                }
                at++;
                return map;
            }
            if (c == '[') {
                List<Object> list = new ArrayList<>();
                at++;
                while (text.charAt(at) != ']') {
                    list.add(value());
                    comma();
                }
                at++;
                return list;
            }
            return c == '"' ? string() : literal();
        }

        private void comma() {
            if (text.charAt(at) == ',') {
                at++;
            }
        }

        private Object literal() {
            int start = at;
            while (at < text.length() && ",]}".indexOf(text.charAt(at)) < 0) {
                at++;
            }
            String literal = text.substring(start, at);
            switch (literal) {
                case "null": return null;
                case "true": return Boolean.TRUE;
                case "false": return Boolean.FALSE;
            }
            if (literal.contains(".") || literal.contains("e")) {
                return Double.valueOf(literal);
            }
            long number = Long.parseLong(literal);
            return number == (int) number ? (Object) (int) number : (Object) number;
        }

        private String string() {
            StringBuilder result = new StringBuilder();
            at++;
            while (text.charAt(at) != '"') {
                char c = text.charAt(at++);
                if (c != '\\') {
                    result.append(c);
                    continue;
                }
                char escape = text.charAt(at++);
                switch (escape) {
                    case 'n': result.append('\n'); break;
                    case 't': result.append('\t'); break;
                    case 'r': result.append('\r'); break;
                    case 'b': result.append('\b'); break;
                    case 'f': result.append('\f'); break;
                    case 'u':
                        result.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                        at += 4;
                        break;
                    default: result.append(escape);
                }
            }
            at++;
            return result.toString();
        }
    }
}
