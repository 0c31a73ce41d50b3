using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Sweeps.Samplers;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>A search space: one branch, or several branches, of which each trial takes one.</summary>
internal sealed record Space(IReadOnlyList<Branch> Branches)
{
    public Branch this[string name] => Branches.First(branch => branch.Name == name);

    /// <summary>A space that was written as JSON.</summary>
    /// <exception cref="JsonException">The text is none.</exception>
    /// <exception cref="ArgumentException">It has no branch, or a dimension without values.</exception>
    public static Space Read(string json)
    {
        var space = PlainJson.Read<Space>(json);
        if (space.Branches.Count == 0 || space.Branches.Any(branch => branch is null || branch.Dimensions.Contains(null!)))
            throw new ArgumentException("The space has no estimator, or one that is null.");
        foreach (var dimension in space.Branches.SelectMany(branch => branch.Dimensions))
            dimension.Validate();
        return space;
    }

    /// <summary>The choice of a branch, as a dimension.</summary>
    [JsonIgnore]
    public ChoiceDimension Choice => new("", [.. Branches.Select(branch => branch.Name)], Branches[0].Name);
}

/// <summary>The hyper-parameters of one candidate.</summary>
internal sealed record Branch(string Name, IReadOnlyList<Dimension> Dimensions)
{
    /// <summary>The options that are fixed rather than searched. They are a part of the space, as another value would make another search.</summary>
    public IReadOnlyDictionary<string, string?> Fixed { get; init; } = new Dictionary<string, string?>();

    /// <summary>Converts hyper-parameters that were read from JSON to the types of the dimensions' values.</summary>
    public IReadOnlyDictionary<string, object> Read(IReadOnlyDictionary<string, object> parameters) =>
        Dimensions.ToDictionary(dimension => dimension.Name, dimension => dimension.Read(parameters[dimension.Name]));

    /// <summary>The proposal with the values at the given places, one for each dimension.</summary>
    public Proposal At(IEnumerable<double> places) =>
        new(Name, Dimensions.Zip(places).ToDictionary(pair => pair.First.Name, pair => pair.First.ValueAt(pair.Second)));

    /// <summary>The proposal at which a search begins.</summary>
    [JsonIgnore]
    public Proposal Initial => new(Name, Dimensions.ToDictionary(dimension => dimension.Name, dimension => dimension.InitialValue));
}

/// <summary>Writes spaces and hyper-parameters as JSON. Values are numbers, texts and Booleans, and are read as int, double, string and bool.</summary>
internal static class PlainJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        Converters = { new PlainValues() },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, s_options);

    /// <exception cref="JsonException">The text holds something else.</exception>
    public static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, s_options) ?? throw new JsonException("It is null.");

    private sealed class PlainValues : JsonConverter<object>
    {
        public override bool HandleNull => true;

        public override object Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
        {
            JsonTokenType.True or JsonTokenType.False => reader.GetBoolean(),
            JsonTokenType.String => reader.GetString()!,
            JsonTokenType.Number when reader.TryGetInt32(out var whole) => whole,
            JsonTokenType.Number when reader.GetDouble() is var number && double.IsFinite(number) => number,
            _ => throw new JsonException("A value is no number, text or Boolean."),
        };

        public override void Write(Utf8JsonWriter writer, object value, JsonSerializerOptions options) => JsonSerializer.Serialize(writer, value, value.GetType());
    }
}
