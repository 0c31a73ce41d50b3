using System.Reflection;
using System.Reflection.Emit;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>An instruction of a compiled method.</summary>
/// <param name="Name">What it does, without its short form: <c>stloc</c> of <c>stloc.s</c> and <c>stloc.0</c>.</param>
/// <param name="Member">The method, field or type that it names.</param>
/// <param name="Local">The local variable that it reads or writes.</param>
internal readonly record struct Instruction(string Name, MemberInfo? Member, int? Local)
{
    public const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    /// <summary>A type's own methods and constructors.</summary>
    public static IEnumerable<MethodBase> Methods(Type type) => type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared));

    /// <summary>The instructions of a method; none where it has no body.</summary>
    public static IEnumerable<Instruction> Of(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            yield break;
        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : [];
        for (var at = 0; at < il.Length;)
        {
            var code = s_codes[il[at] == 0xFE ? (short)(0xFE00 | il[at + 1]) : il[at]];
            at += code.Size;
            var name = code.Name!.Split('.');
            yield return new(
                name[0],
                code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok
                    ? method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments) : null,
                name[0] is not ("ldloc" or "stloc") ? null
                    : code.OperandType == OperandType.ShortInlineVar ? il[at]
                    : code.OperandType == OperandType.InlineVar ? BitConverter.ToUInt16(il, at)
                    : int.Parse(name[1]));
            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, at),
                _ => 4,
            };
        }
    }
}
