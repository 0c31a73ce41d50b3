namespace Microsoft.ML.VisionModels.Text;

/// <summary>The type of a piece, with the numbers of SentencePiece's files.</summary>
internal enum SentencePieceKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,

    /// <summary>A piece that is never split and not normalized.</summary>
    UserDefined = 4,
    Unused = 5,

    /// <summary>A byte of a character that the vocabulary does not have.</summary>
    Byte = 6,
}

/// <summary>The algorithm that splits texts into pieces, with the numbers of SentencePiece's files.</summary>
internal enum SentencePieceAlgorithm
{
    Unigram = 1,
    BytePairs = 2,
    Words = 3,
    Characters = 4,
}

/// <summary>A token of a vocabulary.</summary>
internal readonly record struct SentencePiece(string Text, float Score, SentencePieceKind Kind)
{
    /// <summary>Whether it can be a part of a text.</summary>
    public bool IsInTexts => Kind is SentencePieceKind.Normal or SentencePieceKind.UserDefined or SentencePieceKind.Unused;
}

/// <summary>
/// A file of SentencePiece (arXiv 1808.06226), <c>spiece.model</c> or <c>tokenizer.model</c>: the vocabulary, and how texts are normalized and
/// split. The properties have the defaults of google/sentencepiece.
/// </summary>
internal sealed record SentencePieceModel
{
    /// <summary>The pieces by id.</summary>
    public required IReadOnlyList<SentencePiece> Pieces { get; init; }

    public SentencePieceAlgorithm Algorithm { get; init; } = SentencePieceAlgorithm.Unigram;

    /// <summary>Whether characters that the vocabulary does not have are encoded as bytes.</summary>
    public bool ByteFallback { get; init; }

    public string StartPiece { get; init; } = "<s>";

    public string EndPiece { get; init; } = "</s>";

    public string PadPiece { get; init; } = "<pad>";

    /// <summary>The text that the unknown token is decoded to.</summary>
    public string UnknownText { get; init; } = " \u2047 ";

    /// <summary>Whether a space belongs to the word before it rather than to the word after it.</summary>
    public bool SpaceAsSuffix { get; init; }

    /// <summary>Whether a space is added before the first word (or after the last one), so that all words have one.</summary>
    public bool DummyPrefix { get; init; } = true;

    public bool RemoveExtraSpaces { get; init; } = true;

    /// <summary>Whether spaces are written as U+2581.</summary>
    public bool EscapeSpaces { get; init; } = true;

    /// <summary>The compiled map of characters for <see cref="Text.CharacterMap"/>; may be empty.</summary>
    public byte[] CharacterMap { get; init; } = [];

    /// <exception cref="CheckpointException">The file is not a SentencePiece model, or is one that is not supported.</exception>
    public static SentencePieceModel Parse(ReadOnlySpan<byte> file, string source)
    {
        var pieces = new List<SentencePiece>();
        var model = new SentencePieceModel { Pieces = pieces };
        var reader = new ProtobufReader(file, source);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    pieces.Add(Piece(new(reader.ReadBytes(), source)));
                    break;
                case 2:
                    model = model.WithTraining(new(reader.ReadBytes(), source));
                    break;
                case 3:
                    model = model.WithNormalization(new(reader.ReadBytes(), source));
                    break;
                case 5 when (model with { CharacterMap = [] }).WithNormalization(new(reader.ReadBytes(), source)).CharacterMap.Length > 0:
                    throw new CheckpointException($"{source} changes characters when tokens become text again, which is not supported.");
                case 5:
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model.Checked(source);
    }

    private static SentencePiece Piece(ProtobufReader reader)
    {
        var piece = new SentencePiece("", 0, SentencePieceKind.Normal);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    piece = piece with { Text = reader.ReadString() };
                    break;
                case 2:
                    piece = piece with { Score = reader.ReadSingle() };
                    break;
                case 3:
                    piece = piece with { Kind = (SentencePieceKind)reader.ReadInt32() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return piece;
    }

    private SentencePieceModel WithTraining(ProtobufReader reader)
    {
        var model = this;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 3:
                    model = model with { Algorithm = (SentencePieceAlgorithm)reader.ReadInt32() };
                    break;
                case 24:
                    model = model with { SpaceAsSuffix = reader.ReadBool() };
                    break;
                case 35:
                    model = model with { ByteFallback = reader.ReadBool() };
                    break;
                case 44:
                    model = model with { UnknownText = reader.ReadString() };
                    break;
                case 46:
                    model = model with { StartPiece = reader.ReadString() };
                    break;
                case 47:
                    model = model with { EndPiece = reader.ReadString() };
                    break;
                case 48:
                    model = model with { PadPiece = reader.ReadString() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model;
    }

    private SentencePieceModel WithNormalization(ProtobufReader reader)
    {
        var model = this;
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 2:
                    model = model with { CharacterMap = reader.ReadBytes().ToArray() };
                    break;
                case 3:
                    model = model with { DummyPrefix = reader.ReadBool() };
                    break;
                case 4:
                    model = model with { RemoveExtraSpaces = reader.ReadBool() };
                    break;
                case 5:
                    model = model with { EscapeSpaces = reader.ReadBool() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model;
    }

    private SentencePieceModel Checked(string source)
    {
        if (Pieces.Count == 0)
            throw new CheckpointException($"{source} has no vocabulary; it is not a SentencePiece model.");
        if (Algorithm is not (SentencePieceAlgorithm.Unigram or SentencePieceAlgorithm.BytePairs))
            throw new CheckpointException($"{source} splits texts into {Algorithm}; supported are {SentencePieceAlgorithm.Unigram} and {SentencePieceAlgorithm.BytePairs}.");
        foreach (var (id, piece) in Pieces.Index())
        {
            if (piece.Text.Length == 0 || !Enum.IsDefined(piece.Kind))
                throw new CheckpointException($"{source} is damaged: piece {id} is '{piece.Text}' of kind {piece.Kind}.");
        }
        if (Pieces.GroupBy(piece => (piece.Text, piece.IsInTexts)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new CheckpointException($"{source} has the piece '{twice.Key.Text}' twice.");
        if (Pieces.Count(piece => piece.Kind == SentencePieceKind.Unknown) != 1)
            throw new CheckpointException($"{source} should have one piece of the kind {SentencePieceKind.Unknown}, but has {Pieces.Count(piece => piece.Kind == SentencePieceKind.Unknown)}.");
        if (Algorithm == SentencePieceAlgorithm.BytePairs && Pieces.Any(piece => piece.Kind == SentencePieceKind.Unused))
            throw new CheckpointException($"{source} has byte pairs that are marked as unused, which is not supported.");
        return this;
    }
}
