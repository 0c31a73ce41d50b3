using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// Reads a Python pickle as <c>torch.save</c> and <c>torch.jit.save</c> write it: numbers, text, lists, tuples, dictionaries and tensors. A pickle is a program for a stack machine, and
/// may call any Python function by its name. This machine calls none: for the few names of <see cref="PickleTorch"/> it builds plain values, and for all others a placeholder.
/// </summary>
internal sealed class PickleReader(Stream stream, string file)
{
    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly object s_mark = new(), s_set = new PickleOther("set");

    // A network of a thousand tensors has about fifty thousand instructions. The limit bounds the memory, as an instruction of one byte can
    // take a hundred bytes.
    private const int MaxInstructions = 1_000_000;

    private readonly List<object?> _stack = [];
    private readonly SortedDictionary<uint, object?> _memo = [];     // a hash table would be slow with keys that a file chose for it
    private readonly Dictionary<string, PickleStorage> _storages = [];
    private int _instructions;

    /// <summary>The storages that the last pickle refers to, by key.</summary>
    public IReadOnlyDictionary<string, PickleStorage> Storages => _storages;

    /// <summary>Reads one pickle, and leaves the stream at its end.</summary>
    /// <exception cref="CheckpointException">The pickle is malformed.</exception>
    public object? Read()
    {
        _stack.Clear();
        _memo.Clear();
        _storages.Clear();
        try
        {
            for (_instructions = 0; _instructions < MaxInstructions; _instructions++)
            {
                var code = (PickleCode)Byte();
                if (code == PickleCode.Stop)
                    return _stack.Count == 1 ? Pop() : throw Wrong("it does not end in one value");
                Execute(code);
            }
            throw Wrong($"it has more than {MaxInstructions} instructions");
        }
        catch (EndOfStreamException e)
        {
            throw new CheckpointException($"{file}: the file ends within a pickle.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new CheckpointException($"{file}: a text in the pickle is not UTF-8.", e);
        }
    }

    private void Execute(PickleCode code)
    {
        switch (code)
        {
            case PickleCode.Protocol: Byte(); break;
            case PickleCode.Frame: Bytes(8); break;

            case PickleCode.None: Push(null); break;
            case PickleCode.True: Push(true); break;
            case PickleCode.False: Push(false); break;
            case PickleCode.Int8: Push((long)Byte()); break;
            case PickleCode.Int16: Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break;
            case PickleCode.Int32: Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
            case PickleCode.Long: Push(Long(Bytes(Byte()))); break;
            case PickleCode.LargeLong: Push(Skipped(UInt32(), "int")); break;
            case PickleCode.Float64: Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
            case PickleCode.ShortText: Push(Text(Byte())); break;
            case PickleCode.Text: Push(Text(UInt32())); break;
            case PickleCode.LongText: Push(Text(UInt64())); break;
            case PickleCode.ShortString: Push(String(Byte())); break;
            case PickleCode.String: Push(String(UInt32())); break;
            case PickleCode.ShortBytes: Push(Skipped(Byte(), "bytes")); break;
            case PickleCode.Bytes: Push(Skipped(UInt32(), "bytes")); break;
            case PickleCode.LongBytes: Push(Skipped(UInt64(), "bytes")); break;
            case PickleCode.ByteArray: Push(Skipped(UInt64(), "bytearray")); break;

            case PickleCode.EmptyTuple: Push(Array.Empty<object?>()); break;
            case PickleCode.Tuple1 or PickleCode.Tuple2 or PickleCode.Tuple3: Push(PopMany(code - PickleCode.Tuple1 + 1)); break;
            case PickleCode.Tuple: Push(PopToMark()); break;
            case PickleCode.EmptyList: Push(new List<object?>()); break;
            case PickleCode.Append: Append(PopMany(1)); break;
            case PickleCode.Appends: Append(PopToMark()); break;
            case PickleCode.EmptyDictionary: Push(new PickleDictionary()); break;
            case PickleCode.EmptySet: Push(s_set); break;
            case PickleCode.AddItems: PopToMark(); Peek(); break;
            case PickleCode.FrozenSet: PopToMark(); Push(s_set); break;
            case PickleCode.SetItem: SetItems(PopMany(2)); break;
            case PickleCode.SetItems: SetItems(PopToMark()); break;
            case PickleCode.Mark: Push(s_mark); break;
            case PickleCode.Pop when _stack.Count > 0 && _stack[^1] == s_mark: _stack.RemoveAt(_stack.Count - 1); break;
            case PickleCode.Pop: Pop(); break;
            case PickleCode.PopMark: PopToMark(); break;

            case PickleCode.ShortPut: _memo[Byte()] = Peek(); break;
            case PickleCode.Put: _memo[UInt32()] = Peek(); break;
            case PickleCode.Memoize: _memo[(uint)_memo.Count] = Peek(); break;
            case PickleCode.ShortGet: Push(Recall(Byte())); break;
            case PickleCode.Get: Push(Recall(UInt32())); break;

            case PickleCode.Global: Push(PickleTorch.Global(Line(), Line())); break;
            case PickleCode.StackGlobal:
                var names = PopMany(2);
                Push(PickleTorch.Global(names[0] as string ?? "", names[1] as string ?? ""));
                break;
            case PickleCode.PersistentId: Push(Storage(PickleTorch.Storage(Pop(), file))); break;
            case PickleCode.Reduce:
                var call = PopMany(2);
                Push(PickleTorch.Call(call[0], call[1], file));
                break;
            case PickleCode.Build:
                // A TorchScript module consists of its attributes. The attributes that state_dict() adds to an OrderedDict are version numbers,
                // which are not needed.
                var attributes = Pop();
                if (Peek() is PickleModule module && attributes is PickleDictionary entries)
                {
                    _instructions += entries.Count;     // counted as instructions, since a pickle could copy a large dictionary many times
                    SetItems(module, [.. entries.SelectMany(entry => new[] { entry.Key, entry.Value })]);
                }
                else if (Peek() is not (PickleDictionary or PickleTensor or PickleOther))
                    throw Wrong("it sets attributes of something that has none");
                break;
            case PickleCode.NewObject:
                var creation = PopMany(2);
                Push(PickleTorch.NewObject(creation[0], creation[1], file));
                break;
            case PickleCode.NewObjectWithNames:
                var named = PopMany(3);
                Push(PickleTorch.NewObject(named[0], named[1], file));
                break;

            default: throw Wrong($"it has the instruction 0x{(byte)code:x2}, which checkpoints do not need");
        }
    }

    private object Storage(object described)
    {
        if (described is PickleStorage storage && !_storages.TryAdd(storage.Key, storage) && _storages[storage.Key] != storage)
            throw Wrong($"it describes the storage '{storage.Key}' in two ways");
        return described;
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count)
    {
        object?[] values = _stack.Count < count ? [] : [.. _stack[^count..]];
        if (values.Length < count || values.Contains(s_mark))
            throw Wrong("it takes more from the stack than there is");
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(s_mark);
        if (mark < 0)
            throw Wrong("it takes more from the stack than there is");
        object?[] values = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private object? Peek() => _stack.Count > 0 && _stack[^1] != s_mark ? _stack[^1] : throw Wrong("it takes more from the stack than there is");

    private object? Recall(uint key) => _memo.TryGetValue(key, out var value) ? value : throw Wrong($"it recalls entry {key}, which was never stored");

    private void Append(object?[] values)
    {
        if (Peek() is List<object?> list)
            list.AddRange(values);
        else if (Peek() is not PickleOther)
            throw Wrong("it appends to something that is not a list");
    }

    private void SetItems(object?[] values)
    {
        if (values.Length % 2 != 0)
            throw Wrong("it sets items without values");
        if (Peek() is PickleDictionary dictionary)
            SetItems(dictionary, values);
        else if (Peek() is not PickleOther)
            throw Wrong("it sets items of something that is not a dictionary");
    }

    private void SetItems(PickleDictionary dictionary, object?[] values)
    {
        for (var i = 0; i < values.Length; i += 2)
            PickleTorch.Add(dictionary, values[i], values[i + 1], file);
    }

    private byte Byte()
    {
        var value = stream.ReadByte();
        return value >= 0 ? (byte)value : throw new EndOfStreamException();
    }

    private byte[] Bytes(int count) => stream.ReadClaimed(count);

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    private static object Long(byte[] bytes)
    {
        var value = new BigInteger(bytes);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private string Text(ulong length) => s_utf8.GetString(Bytes(Length(length)));

    /// <summary>What Python 2 called text: that, or bytes.</summary>
    private object String(ulong length)
    {
        var bytes = Bytes(Length(length));
        return System.Text.Unicode.Utf8.IsValid(bytes) ? s_utf8.GetString(bytes) : new PickleOther("bytes");
    }

    /// <summary>Passes over bytes, of which nothing is kept.</summary>
    private PickleOther Skipped(ulong length, string type)
    {
        for (var left = Length(length); left > 0; left -= Math.Min(left, 1 << 16))
            Bytes(Math.Min(left, 1 << 16));
        return new(type);
    }

    private int Length(ulong length) => length <= int.MaxValue ? (int)length : throw Wrong($"it has a value of {length} bytes");

    private string Line()
    {
        var line = new List<byte>();
        for (byte next; (next = Byte()) != '\n';)
        {
            if (line.Count == 1000)
                throw Wrong("it has a name of more than 1000 bytes");
            line.Add(next);
        }
        return s_utf8.GetString([.. line]);
    }

    private CheckpointException Wrong(string problem) => new($"{file}: the pickle is not a checkpoint's: {problem}.");
}

/// <summary>The instructions of pickle protocols 2 to 5, but those for what lies outside a file or is registered with Python.</summary>
internal enum PickleCode : byte
{
    Pop = (byte)'0',
    PopMark = (byte)'1',
    Mark = (byte)'(',
    EmptyTuple = (byte)')',
    Stop = (byte)'.',
    Put = (byte)'r',
    Get = (byte)'j',
    ShortPut = (byte)'q',
    ShortGet = (byte)'h',
    Bytes = (byte)'B',
    ShortBytes = (byte)'C',
    Float64 = (byte)'G',
    Int32 = (byte)'J',
    Int8 = (byte)'K',
    Int16 = (byte)'M',
    None = (byte)'N',
    PersistentId = (byte)'Q',
    Reduce = (byte)'R',
    String = (byte)'T',
    ShortString = (byte)'U',
    Text = (byte)'X',
    EmptyList = (byte)']',
    Append = (byte)'a',
    Build = (byte)'b',
    Global = (byte)'c',
    Appends = (byte)'e',
    SetItem = (byte)'s',
    Tuple = (byte)'t',
    SetItems = (byte)'u',
    EmptyDictionary = (byte)'}',
    Protocol = 0x80,
    NewObject = 0x81,
    Tuple1 = 0x85,
    Tuple2 = 0x86,
    Tuple3 = 0x87,
    True = 0x88,
    False = 0x89,
    Long = 0x8a,
    LargeLong = 0x8b,
    ShortText = 0x8c,
    LongText = 0x8d,
    LongBytes = 0x8e,
    EmptySet = 0x8f,
    AddItems = 0x90,
    FrozenSet = 0x91,
    NewObjectWithNames = 0x92,
    StackGlobal = 0x93,
    Memoize = 0x94,
    Frame = 0x95,
    ByteArray = 0x96,
}
