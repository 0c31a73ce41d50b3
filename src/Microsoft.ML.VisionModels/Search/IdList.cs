using System.Text;

namespace Microsoft.ML.VisionModels.Search;

/// <summary>The ids of rows, in their order, each once.</summary>
internal sealed class IdList
{
    private readonly List<string> _ids = [];
    private readonly Dictionary<string, int> _rows = new(StringComparer.Ordinal);

    /// <summary>UTF-8 that throws an <see cref="ArgumentException"/> of what it cannot hold, where the usual one would make unequal ids equal.</summary>
    public static Encoding Utf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public int Count => _ids.Count;

    public IReadOnlyList<string> All => _ids.AsReadOnly();

    public string this[int row] => _ids[row];

    /// <summary>The row of an id; null where it is not here.</summary>
    public int? Find(string id) => _rows.TryGetValue(id, out var row) ? row : null;

    /// <exception cref="ArgumentException">The id cannot be added: it is empty, no sound UTF-16 (which could not be saved), or here already.</exception>
    public void Check(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        _ = Utf8.GetByteCount(id);
        if (_rows.ContainsKey(id))
            throw new ArgumentException($"The id '{id}' is in the index already.", nameof(id));
    }

    /// <summary>Adds an id that was checked.</summary>
    public void Add(string id)
    {
        _rows.Add(id, _ids.Count);
        _ids.Add(id);
    }
}
