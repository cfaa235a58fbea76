//! Versions of GLIBC that programs need. Lambda starts no program that needs a newer GLIBC than it has.

use object::Endianness;
use object::elf::{FileHeader64, VER_FLG_WEAK};
use object::read::elf::FileHeader;

/// GLIBC of Amazon Linux 2023, which the runtime `provided.al2023` consists of.
pub(super) const LAMBDA_GLIBC: GlibcVersion = GlibcVersion {
    major: 2,
    minor: 34,
};

/// A version of GLIBC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GlibcVersion {
    major: u32,
    minor: u32,
}

impl std::fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Returns the newest symbol version that a program needs and Lambda does not have, such as `GLIBC_2.38`.
///
/// # Errors
///
/// If the program is not a 64-bit ELF file.
pub(super) fn too_new(program: &[u8]) -> object::Result<Option<String>> {
    let mut newest: Option<(GlibcVersion, &str)> = None;
    let names = needed_versions(program)?;
    for name in &names {
        let Some(version) = glibc_version(name) else {
            continue;
        };
        if version > LAMBDA_GLIBC && newest.is_none_or(|(newest, _)| version > newest) {
            newest = Some((version, name));
        }
    }
    Ok(newest.map(|(_, name)| name.to_owned()))
}

/// Returns the names of the symbol versions that a program must find in its libraries when it starts.
fn needed_versions(program: &[u8]) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(program)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, program)?;
    let mut names = Vec::new();
    let Some((mut libraries, strings)) = sections.gnu_verneed(endian, program)? else {
        // A static program.
        return Ok(names);
    };
    let strings = sections.strings(endian, program, strings)?;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            // The loader does not insist on the version of weak symbols, which programs look for at run time.
            let is_weak = version.vna_flags.get(endian).contains(VER_FLG_WEAK);
            if !is_weak {
                let name = version.name(endian, strings)?;
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    Ok(names)
}

/// Returns the version of GLIBC that has a symbol version; `None` for those of other libraries.
fn glibc_version(name: &str) -> Option<GlibcVersion> {
    let version = name.strip_prefix("GLIBC_")?;
    // The first one, `GLIBC_ABI_DT_RELR`, came with 2.36.
    if version.starts_with("ABI_") {
        return Some(GlibcVersion {
            major: 2,
            minor: 36,
        });
    }
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some(GlibcVersion {
        major: numbers.next()??,
        minor: numbers.next()??,
    })
}

#[cfg(test)]
mod tests {
    use object::elf::{EM_X86_64, SHT_GNU_VERNEED, SHT_NULL, SHT_STRTAB, SectionType};

    use super::*;

    /// Section of an ELF file.
    struct Section {
        /// Offset of its name in the last section.
        name: u32,
        kind: SectionType,
        content: Vec<u8>,
        /// Index of another section that this one refers to.
        link: u32,
    }

    fn section(name: u32, kind: SectionType, content: &[u8], link: u32) -> Section {
        Section {
            name,
            kind,
            content: content.to_vec(),
            link,
        }
    }

    /// Symbol version that a program needs.
    struct Needed {
        name: &'static str,
        flags: u16,
    }

    fn strong(name: &'static str) -> Needed {
        Needed { name, flags: 0 }
    }

    /// Returns an ELF file that needs symbol versions of one library.
    fn elf(needed: &[Needed]) -> Vec<u8> {
        let mut strings = b"\0libc.so.6\0".to_vec();
        let mut versions = Vec::new();
        // Elf64_Verneed: version, count, library, offset of the first entry, offset of the next library.
        versions.extend(1_u16.to_le_bytes());
        versions.extend(u16::try_from(needed.len()).unwrap().to_le_bytes());
        versions.extend([1_u32, 16, 0].map(u32::to_le_bytes).concat());
        for (index, Needed { name, flags }) in needed.iter().enumerate() {
            let next = if index + 1 == needed.len() { 0 } else { 16 };
            let offset = u32::try_from(strings.len()).unwrap();
            strings.extend([name.as_bytes(), b"\0"].concat());
            // Elf64_Vernaux: hash, flags, index, name, offset of the next entry.
            versions.extend(0_u32.to_le_bytes());
            versions.extend([*flags, 2].map(u16::to_le_bytes).concat());
            versions.extend([offset, next].map(u32::to_le_bytes).concat());
        }
        let names = b"\0.dynstr\0.gnu.version_r\0.shstrtab\0";
        sections(&[
            section(0, SHT_NULL, b"", 0),
            section(1, SHT_STRTAB, &strings, 0),
            section(9, SHT_GNU_VERNEED, &versions, 1),
            section(24, SHT_STRTAB, names, 0),
        ])
    }

    /// Returns an ELF file with sections, of which the last one has the names of all.
    fn sections(sections: &[Section]) -> Vec<u8> {
        let content: usize = sections.iter().map(|section| section.content.len()).sum();
        let headers = (64 + content) as u64;
        let count = u16::try_from(sections.len()).unwrap();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2_u16, EM_X86_64.0].map(u16::to_le_bytes).concat());
        file.extend(1_u32.to_le_bytes());
        file.extend([0, 0, headers].map(u64::to_le_bytes).concat());
        file.extend(0_u32.to_le_bytes());
        file.extend(
            [64, 0, 0, 64, count, count - 1]
                .map(u16::to_le_bytes)
                .concat(),
        );
        let mut table = Vec::new();
        for section in sections {
            let offset = file.len() as u64;
            let length = section.content.len() as u64;
            file.extend(&section.content);
            table.extend(
                [section.name, section.kind.0]
                    .map(u32::to_le_bytes)
                    .concat(),
            );
            table.extend([0, 0, offset, length].map(u64::to_le_bytes).concat());
            table.extend([section.link, 0].map(u32::to_le_bytes).concat());
            table.extend([1_u64, 0].map(u64::to_le_bytes).concat());
        }
        file.extend(table);
        file
    }

    fn newest(needed: &[Needed]) -> Option<String> {
        too_new(&elf(needed)).unwrap()
    }

    #[test]
    fn versions_up_to_lambdas_are_accepted_and_the_newest_of_later_ones_is_reported() {
        assert_eq!(newest(&[strong("GLIBC_2.2.5"), strong("GLIBC_2.34")]), None);
        assert_eq!(newest(&[strong("GLIBC_2.35")]).unwrap(), "GLIBC_2.35");
        let several = [
            strong("GLIBC_2.36"),
            strong("GLIBC_2.38"),
            strong("GLIBC_2.9"),
        ];
        assert_eq!(newest(&several).unwrap(), "GLIBC_2.38");
        assert_eq!(newest(&[strong("GLIBC_3.0")]).unwrap(), "GLIBC_3.0");
    }

    #[test]
    fn versions_of_other_libraries_and_of_weak_symbols_are_accepted() {
        let others = [
            strong("GCC_4.2.0"),
            strong("GLIBCXX_3.4.99"),
            strong("GLIBC_PRIVATE"),
        ];
        assert_eq!(newest(&others), None);
        let weak = Needed {
            name: "GLIBC_2.39",
            flags: VER_FLG_WEAK.0,
        };
        assert_eq!(newest(&[weak]), None);
    }

    #[test]
    fn a_program_with_packed_relocations_needs_a_newer_glibc() {
        let packed = newest(&[strong("GLIBC_ABI_DT_RELR")]);
        assert_eq!(packed.unwrap(), "GLIBC_ABI_DT_RELR");
    }

    #[test]
    fn a_static_program_needs_no_glibc() {
        let null = section(0, SHT_NULL, b"", 0);
        let names = section(1, SHT_STRTAB, b"\0.shstrtab\0", 0);
        assert_eq!(too_new(&sections(&[null, names])).unwrap(), None);
    }

    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    #[test]
    fn versions_of_a_real_program_are_found() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = needed_versions(&this).unwrap();
        assert!(
            needed.iter().any(|name| glibc_version(name).is_some()),
            "{needed:?}"
        );
    }

    #[test]
    fn a_script_is_no_program() {
        assert!(too_new(b"#!/bin/sh\n").is_err());
    }
}
