using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Imaging.Augmentation;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>What Hugging Face's <c>config.json</c> calls a hyper-parameter. A second name is read where the first is not there.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ConfigKeyAttribute(params string[] names) : Attribute
{
    public string[] Names => names;
}

/// <summary>What Hugging Face's <c>config.json</c> calls a value of an enumeration; the first name is written, all are read.</summary>
[AttributeUsage(AttributeTargets.Field)]
internal sealed class ConfigNameAttribute(params string[] names) : Attribute
{
    public string[] Names => names;
}

/// <summary>Reads and writes those hyper-parameters of a record that have a <see cref="ConfigKeyAttribute"/>.</summary>
internal static class ConfigKeys
{
    /// <summary>The record that a configuration tells.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="defaults">What keys that are missing, or null, stand for.</param>
    /// <exception cref="CheckpointException">A value is of the wrong kind; the message names the key.</exception>
    public static T Read<T>(JsonElement config, T defaults) where T : class
    {
        var values = (T)typeof(T).GetMethod("<Clone>$")!.Invoke(defaults, null)!;   // as "with" makes it
        foreach (var (property, names) in Keys(typeof(T)))
        {
            var name = names.FirstOrDefault(name => config.TryGetProperty(name, out var found) && found.ValueKind != JsonValueKind.Null);
            if (name is not null)
                property.SetValue(values, Read(config, name, property.PropertyType));
        }
        return values;
    }

    /// <summary>Adds the hyper-parameters to a configuration, in alphabetical order as the library does; those that are null are left out.</summary>
    public static JsonObject Write<T>(T values, params IEnumerable<KeyValuePair<string, JsonNode?>> more) where T : class => new(
        Keys(typeof(T)).Select(key => (Name: key.Names[0], Value: key.Property.GetValue(values))).Where(key => key.Value is not null)
            .Select(key => KeyValuePair.Create(key.Name, Write(key.Value!))).Concat(more).OrderBy(entry => entry.Key, StringComparer.Ordinal));

    /// <summary>All names that are read.</summary>
    public static IEnumerable<string> Names<T>() => Keys(typeof(T)).SelectMany(key => key.Names);

    /// <summary>The value of an enumeration that has a name.</summary>
    /// <exception cref="CheckpointException">None has it.</exception>
    public static T Parse<T>(string name) where T : struct, Enum => (T)Parse(name, typeof(T));

    /// <summary>The name of a value of an enumeration.</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => NamesOf(typeof(T)).First(known => known.Value.Equals(value)).Names[0];

    private static IEnumerable<(PropertyInfo Property, string[] Names)> Keys(Type type) => type.GetProperties()
        .Select(property => (property, property.GetCustomAttribute<ConfigKeyAttribute>()?.Names)).Where(key => key.Names is not null)!;

    private static object Read(JsonElement config, string name, Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var plain when plain == typeof(int) => config.Get(name, 0),
        var plain when plain == typeof(double) => config.Get(name, 0.0),
        var plain when plain == typeof(bool) => config.Get(name, false),
        var plain when plain == typeof(ImageSize) => config.Size(name, 0),
        var plain when plain == typeof(int[]) => config.Integers(name)!,
        var plain when plain == typeof(double[]) => config.Numbers(name)!,
        { IsEnum: true } plain => Parse(config.Get(name, ""), plain, $" ('{name}')"),
        _ => throw new NotSupportedException($"{name} is of type {type}."),
    };

    private static JsonNode? Write(object value) => value switch
    {
        int number => number,
        double number => number,
        bool flag => flag,
        ImageSize size => size.ToJson(),
        int[] numbers => new JsonArray([.. numbers.Select(number => JsonValue.Create(number))]),
        double[] numbers => new JsonArray([.. numbers.Select(number => JsonValue.Create(number))]),
        Enum => NamesOf(value.GetType()).First(known => known.Value.Equals(value)).Names[0],
        _ => throw new NotSupportedException($"{value.GetType()} is not written."),
    };

    private static object Parse(string name, Type type, string key = "")
    {
        var known = NamesOf(type).ToArray();
        return known.FirstOrDefault(value => value.Names.Contains(name)).Value
            ?? throw new CheckpointException($"The {HyperParameters.Words(type.Name)}{key} '{name}' is not known; known are {string.Join(", ", known.SelectMany(value => value.Names))}.");
    }

    private static IEnumerable<(object Value, string[] Names)> NamesOf(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (field.GetValue(null)!, field.GetCustomAttribute<ConfigNameAttribute>()?.Names ?? []));
}
