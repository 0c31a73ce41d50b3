using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.VisionModels.Fuzz;

/// <summary>Damages JSON that stays JSON: values of other types and sizes, entries that go, come twice or get other names, texts that are none.</summary>
internal sealed class JsonMutator(Random random)
{
    private static readonly JsonSerializerOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] s_values =
    [
        "null", "true", "false", "0", "1", "-1", "2", "3", "7", "0.5", "-0.0", "4.0", "1e3", "65536", "1000000", "2147483647", "2147483648", "-2147483648",
        "4294967296", "9223372036854775807", "9223372036854775808", "1e308", "1e999", "-1e999", "1e-320", "\"\"", "\"x\"", "\"1\"", "\"\\ud800\"",
        "\"\\u0000\"", "\"../..\"", "\"\uFFFF\"", "[]", "{}", "[1]", "[1,2]", "[-1,1e9,null]", "{\"a\":{}}", "[[]]",
    ];

    private readonly List<(string Mark, string Raw)> _raw = [];

    public byte[] Mutate(byte[] file)
    {
        if (random.Next(20) == 0)
            return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("[", 100_000)));
        var root = JsonNode.Parse(file, documentOptions: new() { AllowDuplicateProperties = false })!;
        for (var times = random.Next(1, 4); times > 0; times--)
            Change(Containers(root).ToArray());
        var text = root.ToJsonString(s_plain);
        foreach (var (mark, raw) in _raw)
            text = text.Replace($"\"{mark}\"", raw, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text);
    }

    private static IEnumerable<JsonNode> Containers(JsonNode? node) => node switch
    {
        JsonObject entries => entries.SelectMany(entry => Containers(entry.Value)).Prepend(entries),
        JsonArray items => items.SelectMany(Containers).Prepend(items),
        _ => [],
    };

    private void Change(JsonNode[] containers)
    {
        // Not always the largest one, in which most of the values are.
        var container = containers[random.Next(random.Next(2) == 0 ? containers.Length : Math.Min(3, containers.Length))];
        if (container is JsonObject { Count: > 0 } entries)
        {
            var (name, value) = entries.ElementAt(random.Next(entries.Count));
            switch (random.Next(8))
            {
                case 0: entries.Remove(name); break;
                case 1: entries[name + "_"] = value?.DeepClone(); break;
                case 2: Twice(entries, name, value); break;
                case 3: entries[name] = entries.ElementAt(random.Next(entries.Count)).Value?.DeepClone(); break;
                default: entries[name] = Raw(Value(value)); break;
            }
        }
        else if (container is JsonArray { Count: > 0 } items)
        {
            var at = random.Next(items.Count);
            switch (random.Next(4))
            {
                case 0: items.RemoveAt(at); break;
                case 1: items.Add(items[at]?.DeepClone()); break;
                default: items[at] = Raw(Value(items[at])); break;
            }
        }
    }

    private string Value(JsonNode? old) => random.Next(3) == 0 && old is JsonValue number && number.GetValueKind() == JsonValueKind.Number
        ? random.Next(3) switch { 0 => number.ToJsonString() + "0", 1 => "-" + number.ToJsonString().TrimStart('-'), _ => number.ToJsonString() + ".0" }
        : random.Next(30) == 0 ? $"\"{new string('a', 1 << 20)}\"" : s_values[random.Next(s_values.Length)];

    // A JsonObject has no name twice, so that the second one goes into the text.
    private void Twice(JsonObject entries, string name, JsonNode? value)
    {
        var json = value?.ToJsonString(s_plain) ?? "null";
        entries[name] = Raw($"{json},{JsonSerializer.Serialize(name, s_plain)}:{json}");
    }

    private JsonNode Raw(string json)
    {
        var mark = $"mark {_raw.Count} {random.Next()}";
        _raw.Add((mark, json));
        return mark;
    }
}
