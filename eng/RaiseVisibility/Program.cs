// RaiseVisibility SOURCE TARGET: copies an assembly and makes every type, method and field in the copy public
// (private members stay private), so that the compiler accepts what IgnoresAccessChecksToAttribute lets the runtime accept.
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

var (source, target) = (args[0], args[1]);
var image = File.ReadAllBytes(source);
using var pe = new PEReader(new MemoryStream(image, writable: false));
var metadata = pe.GetMetadataReader();

// The flags' place in a row: ECMA-335 II.22.37 (TypeDef), II.22.26 (MethodDef), II.22.15 (Field).
Rewrite(TableIndex.TypeDef, flagsOffset: 0, RaiseType);
Rewrite(TableIndex.MethodDef, flagsOffset: 6, RaiseMember);
Rewrite(TableIndex.Field, flagsOffset: 0, RaiseMember);

Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(target))!);
var temporary = target + "." + Environment.ProcessId;
File.WriteAllBytes(temporary, image);
File.Move(temporary, target, overwrite: true);

void Rewrite(TableIndex table, int flagsOffset, Func<int, int> raise)
{
    var start = pe.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(table);
    var rowSize = metadata.GetTableRowSize(table);
    for (var row = 0; row < metadata.GetTableRowCount(table); row++)
    {
        // All three tables keep the visibility in the three lowest bits of their flags.
        ref var flags = ref image[start + row * rowSize + flagsOffset];
        flags = (byte)(flags & ~0b111 | raise(flags & 0b111));
    }
}

static int RaiseType(int visibility) => (TypeAttributes)visibility is TypeAttributes.NotPublic or TypeAttributes.Public
    ? (int)TypeAttributes.Public
    : (int)TypeAttributes.NestedPublic;

static int RaiseMember(int visibility) => (MethodAttributes)visibility switch
{
    MethodAttributes.Assembly or MethodAttributes.FamORAssem => (int)MethodAttributes.Public,
    MethodAttributes.FamANDAssem => (int)MethodAttributes.Family,
    _ => visibility,
};
