using System.IO.Compression;
using System.Runtime.CompilerServices;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>The part of an ML.NET model zip that belongs to one transformer, while it is written.</summary>
internal sealed class ModelArchiveWriter(ModelSaveContext context)
{
    public void WriteText(string name, string text) => context.SaveTextStream(name, writer => writer.Write(text));

    /// <summary>Writes a model within the model.</summary>
    public void WriteModel(string name, ITransformer model) => context.SaveModel(model, name);

    /// <summary>The stream that <paramref name="write"/> gets need not seek.</summary>
    public void WriteBytes(string name, Action<Stream> write) => context.SaveBinaryStream(name, writer =>
    {
        writer.Flush();
        write(writer.BaseStream);
    });
}

/// <summary>
/// The part of an ML.NET model zip that belongs to one transformer, while it is read. ML.NET would unpack each entry to a temporary file,
/// however long it is, and compares no checksum; so entries are read from its zip itself.
/// </summary>
internal sealed class ModelArchiveReader(ModelLoadContext context)
{
    /// <param name="name">The entry's name.</param>
    /// <param name="limit">The most bytes that it may unpack to.</param>
    /// <exception cref="FormatException">There is no such entry, it is longer, or it is no text.</exception>
    public string ReadText(string name, int limit = Limits.TextBytes)
    {
        try
        {
            return Utf8Text.Decode(TryReadBytes(name, limit) ?? throw Missing(name), $"the entry '{name}'");
        }
        catch (CheckpointException e)
        {
            throw new FormatException($"The model file is damaged: {e.Message}", e);
        }
    }

    /// <summary>Reads an entry that may be long.</summary>
    /// <exception cref="FormatException">There is no such entry, or it is damaged.</exception>
    public void ReadBytes(string name, Action<Stream> read) => Read(Find(name) ?? throw Missing(name), stream =>
    {
        read(stream);
        return true;
    });

    /// <summary>Reads a model within the model.</summary>
    /// <exception cref="FormatException">There is no such model.</exception>
    public TModel ReadModel<TModel>(IHostEnvironment environment, string name) where TModel : class, ITransformer
    {
        if ((context.Directory ?? "").Split('/', '\\').Count(part => part == name) >= Limits.NestedModels)
            throw new FormatException($"The model file is damaged: it has more than {Limits.NestedModels} models within each other.");
        context.LoadModel<ITransformer, SignatureLoadModel>(environment, out var model, name);
        return model as TModel ?? throw new FormatException($"The model file is damaged: its '{name}' is no {typeof(TModel).Name}.");
    }

    /// <summary>A whole entry; null where there is none.</summary>
    /// <param name="name">The entry's name.</param>
    /// <param name="limit">The most bytes that it may unpack to.</param>
    /// <exception cref="FormatException">It is longer, or damaged.</exception>
    public byte[]? TryReadBytes(string name, int limit)
    {
        if (Find(name) is not { } entry)
            return null;
        if (entry.Length > limit)
            throw new FormatException($"The model file is damaged: its entry '{name}' has {entry.Length} bytes; at most {limit} are read.");
        return Read(entry, stream => stream.ReadClaimed((int)entry.Length));
    }

    private ZipArchiveEntry? Find(string name)
    {
        var entries = Entries(context.Repository ?? throw new FormatException("The model file is damaged: it is no zip archive."));
        var path = Path.Combine(context.Directory ?? "", name);
        // ML.NET wrote backslashes once.
        return entries.GetValueOrDefault(path) ?? entries.GetValueOrDefault(path.Replace('/', '\\'));
    }

    private static T Read<T>(ZipArchiveEntry entry, Func<Stream, T> read)
    {
        try
        {
            using var stream = new ChecksumStream(entry.Open(), entry.Crc32);
            var result = read(stream);
            stream.ReadToEnd();
            return result;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException)
        {
            throw new FormatException($"The model file is damaged: its entry '{entry.FullName}' cannot be read: {e.Message}", e);
        }
    }

    private static FormatException Missing(string name) => new($"The model file is damaged: it has no entry '{name}'.");

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_entries")]
    private static extern ref Dictionary<string, ZipArchiveEntry> Entries(RepositoryReader repository);
}
